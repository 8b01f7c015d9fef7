// Publishes with a token from a file.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	tidings "tidings.example.org/go"
)

func main() {
	client, err := tidings.New(tidings.Config{
		Server: os.Getenv("TIDINGS_URL"),
		Token:  tidings.TokenFile(os.Getenv("TIDINGS_TOKEN_FILE")),
	})
	if err != nil {
		log.Fatal(err)
	}
	event := tidings.NewEvent().ActedUpon(tidings.NamedUUID(tidings.UUID{}, "shop")).
		WithCategory("deployment").WithAction("apply").
		WithSeverity(tidings.Warning).WithDescription("The shop is slow").
		Build()
	receipt, err := client.Publish(context.Background(), event)
	var failure *tidings.Failure
	if errors.As(err, &failure) && failure.Code == "insufficient_scope" {
		log.Fatal("the token must have the scope events:publish")
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("stored", receipt.ID)
}
