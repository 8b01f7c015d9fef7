import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import tidings.model.ImportableEvent;
import tidings.model.PublishedEvent;
import tidings.model.Severity;

/** Publishes several events: all of them or none. */
final class PublishBatch {
  public static void main(String[] arguments) throws Exception {
    List<ImportableEvent> events = new ArrayList<>();
    for (String service : List.of("cart", "search", "checkout")) {
      events.add(
          new ImportableEvent()
              .id(UUID.randomUUID())
              .actedUpon(UUID.fromString("7b1d2c3e-0000-4000-8000-000000000002"))
              .category("deployment")
              .action("apply")
              .severity(Severity.SUCCESS)
              .description("Deployed " + service));
    }
    for (PublishedEvent stored : Events.publish(events)) {
      System.out.println("stored " + stored.getId());
    }
  }
}
