import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import tidings.model.ImportableEvent;
import tidings.model.PublishedEvent;

/** Requests with the generated models: retries under the same id, and a token from a file. */
final class Events {
  /** Later versions of the server can send further fields. */
  static final ObjectMapper JSON =
      new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

  static final HttpClient HTTP = HttpClient.newHttpClient();

  /** A rejection: its code is a stable word for programs. */
  static final class Rejected extends IOException {
    private static final long serialVersionUID = 1;

    final int status;
    final String code;

    private Rejected(int status, JsonNode body) {
      super(
          "status %d: %s %s %s"
              .formatted(
                  status, body.path("error").asText(), body.path("longDescription"), body.path("suggestedRemediation")));
      this.status = status;
      this.code = body.path("code").asText();
    }

    static Rejected of(int status, byte[] body) throws IOException {
      try {
        return new Rejected(status, JSON.readTree(body));
      } catch (JsonProcessingException notOfTidings) {
        return new Rejected(status, MissingNode.getInstance());
      }
    }
  }

  /** Publishes events: all of them or none. Each must have an id, so that a repeat is stored once. */
  static List<PublishedEvent> publish(List<ImportableEvent> events) throws IOException, InterruptedException {
    byte[] body = JSON.writeValueAsBytes(events);
    long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    for (long limit = 1_000; ; limit = Math.min(2 * limit, 30_000)) {
      IOException error;
      long seconds = 0;
      try {
        HttpRequest request =
            request("")
                .timeout(Duration.ofSeconds(30))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
        HttpResponse<byte[]> response = HTTP.send(request, HttpResponse.BodyHandlers.ofByteArray());
        if (response.statusCode() < 300) {
          return List.of(JSON.readValue(response.body(), PublishedEvent[].class));
        }
        error = Rejected.of(response.statusCode(), response.body());
        if (!isTemporary(response.statusCode())) {
          throw error;
        }
        seconds = Math.min(response.headers().firstValueAsLong("Retry-After").orElse(0), 60);
      } catch (Rejected | JsonProcessingException unchanging) {
        throw unchanging;
      } catch (IOException lost) {
        error = lost;
      }
      long pause = seconds * 1_000 + ThreadLocalRandom.current().nextLong(limit);
      if (System.nanoTime() + pause * 1_000_000 > end) {
        throw error;
      }
      Thread.sleep(pause);
    }
  }

  static boolean isTemporary(int status) {
    return status >= 500 || status == 408 || status == 429;
  }

  /** Begins a request. The file is read each time, so that the token can be replaced. */
  static HttpRequest.Builder request(String path) throws IOException {
    URI address = URI.create(System.getenv("TIDINGS_URL") + "/api/system/events" + path);
    HttpRequest.Builder request = HttpRequest.newBuilder(address);
    String file = System.getenv("TIDINGS_TOKEN_FILE");
    if (file != null) {
      request.header("Authorization", "Bearer " + Files.readString(Path.of(file)).strip());
    }
    return request;
  }

  private Events() {}
}
