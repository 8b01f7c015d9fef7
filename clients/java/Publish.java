import java.util.List;
import java.util.Map;
import java.util.UUID;
import tidings.model.ImportableEvent;
import tidings.model.PublishedEvent;
import tidings.model.Severity;

/** Publishes an event. */
final class Publish {
  public static void main(String[] arguments) throws Exception {
    ImportableEvent event =
        new ImportableEvent()
            .id(UUID.randomUUID())
            .actedUpon(UUID.fromString("7b1d2c3e-0000-4000-8000-000000000001"))
            .category("connection")
            .action("register")
            .severity(Severity.SUCCESS)
            .description("Registered the cluster kind")
            .metadata(Map.of("connectionName", "kind"));
    PublishedEvent stored = Events.publish(List.of(event)).get(0);
    System.out.println("stored " + stored.getId());
  }
}
