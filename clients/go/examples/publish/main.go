// Publishes an event, and then reports progress in place.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	tidings "tidings.example.org/go"
)

func main() {
	client, err := tidings.New(tidings.Config{Server: os.Getenv("TIDINGS_URL")})
	if err != nil {
		log.Fatal(err)
	}
	user, _ := tidings.ParseUUID("6c6f6361-6c00-4000-8000-000000000001")
	// A resource without a UUID gets one of its name.
	cluster := tidings.NamedUUID(user, "kind")

	event := tidings.NewEvent().ActedUpon(cluster).FromUser(user).
		WithCategory("connection").WithAction("register").
		WithSeverity(tidings.Informational).WithDescription("Registering the cluster kind").
		Build()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	receipt, err := client.Publish(ctx, event)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("stored", receipt.ID)

	done := tidings.NewUpdate(event.ID).FromUser(user).
		WithSeverity(tidings.Success).WithDescription("Registered the cluster kind").
		WithMetadata(map[string]interface{}{"progress": 100}).WithSequence(100).
		Build()
	if _, err := client.Update(ctx, done); err != nil {
		log.Fatal(err)
	}
}
