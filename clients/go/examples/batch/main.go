// Publishes several events, each by itself.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	tidings "tidings.example.org/go"
)

func main() {
	client, err := tidings.New(tidings.Config{Server: os.Getenv("TIDINGS_URL")})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()

	builder := tidings.NewEvent().ForCaller().ActedUpon(tidings.NamedUUID(tidings.UUID{}, "shop")).
		WithCategory("deployment").WithAction("apply").WithSeverity(tidings.Success)
	var events []*tidings.Event
	for _, service := range []string{"cart", "search", "checkout"} {
		events = append(events, builder.WithDescription("Deployed "+service).Build())
	}
	for index, outcome := range client.PublishEach(ctx, events) {
		if outcome.Err != nil {
			log.Printf("%s: %v", events[index].Description, outcome.Err)
			continue
		}
		fmt.Println("stored", outcome.Receipt.ID)
	}
}
