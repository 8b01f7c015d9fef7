import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Iterator;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tidings.model.Event;

/** Follows the stream, and continues where it was stopped. */
final class Follow {
  private static final Path CURSOR = Path.of("cursor");
  private static final Path NEXT = Path.of("cursor.next");

  /** Three keepalives of the server. */
  private static final long SILENCE_SECONDS = 45;

  private static final ScheduledExecutorService TIMER =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
          });

  private long base = 1_000;
  private int failures;

  public static void main(String[] arguments) throws Exception {
    new Follow().run();
  }

  private void run() throws IOException, InterruptedException {
    while (true) {
      try {
        connect();
      } catch (Events.Rejected rejected) {
        throw rejected;
      } catch (IOException | UncheckedIOException lost) {
        System.err.println("the connection was lost: " + lost.getMessage());
      }
      long limit = Math.min(base << Math.min(failures++, 20), Math.max(base, 30_000));
      Thread.sleep(ThreadLocalRandom.current().nextLong(limit));
    }
  }

  /** Reads one connection. */
  private void connect() throws IOException, InterruptedException {
    HttpRequest.Builder request = Events.request("/subscribe").header("Accept", "text/event-stream");
    // Without the file the stream begins now.
    if (Files.exists(CURSOR)) {
      request.header("Last-Event-ID", Files.readString(CURSOR));
    }
    HttpResponse<Stream<String>> response = Events.HTTP.send(request.build(), HttpResponse.BodyHandlers.ofLines());
    try (Stream<String> body = response.body()) {
      if (response.statusCode() != 200) {
        String text = String.join("\n", (Iterable<String>) body::iterator);
        if (Events.isTemporary(response.statusCode())) {
          throw new IOException("status " + response.statusCode());
        }
        throw Events.Rejected.of(response.statusCode(), text.getBytes(StandardCharsets.UTF_8));
      }
      read(body);
    }
  }

  private void read(Stream<String> body) throws IOException {
    String name = "event";
    String cursor = null;
    String data = null;
    Iterator<String> lines = body.iterator();
    while (true) {
      ScheduledFuture<?> silence = TIMER.schedule(body::close, SILENCE_SECONDS, TimeUnit.SECONDS);
      boolean hasLine = lines.hasNext();
      silence.cancel(false);
      if (!hasLine) {
        return;
      }
      String line = lines.next();
      if (line.startsWith("retry:")) {
        base = Math.min(Math.max(Long.parseLong(line.substring(6).strip()), 100), 300_000);
      } else if (line.startsWith("id:")) {
        cursor = line.substring(3).strip();
      } else if (line.startsWith("event:")) {
        name = line.substring(6).strip();
      } else if (line.startsWith("data:")) {
        data = line.substring(5).strip();
      } else if (line.isEmpty() && data != null) {
        failures = 0;
        show(name, Events.JSON.readTree(data));
        // After the effect of the frame: a crash in between repeats the frame instead of losing it.
        Files.writeString(NEXT, cursor);
        Files.move(NEXT, CURSOR, StandardCopyOption.ATOMIC_MOVE);
        name = "event";
        data = null;
      }
    }
  }

  private static void show(String name, JsonNode data) throws IOException {
    switch (name) {
      case "event", "updated" -> {
        JsonNode body = name.equals("event") ? data : data.get("event");
        Event event = Events.JSON.treeToValue(body, Event.class);
        String mark = name.equals("event") ? "" : "updated: ";
        System.out.println(mark + event.getSeverity() + " " + event.getDescription());
      }
      case "live" -> System.out.println("live");
      case "reset" -> System.out.println("reload the list: " + data.get("reason").asText());
      default -> {}
    }
  }
}
