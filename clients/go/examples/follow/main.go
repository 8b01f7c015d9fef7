// Follows the stream, and continues where it was stopped.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"

	tidings "tidings.example.org/go"
)

func main() {
	client, err := tidings.New(tidings.Config{Server: os.Getenv("TIDINGS_URL")})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	// Without the file the stream begins now.
	cursor, _ := os.ReadFile("cursor")
	stream := client.Follow(ctx, string(cursor))
	for {
		frame, err := stream.Next()
		if err != nil {
			log.Fatal(err)
		}
		switch frame.Kind {
		case tidings.FrameEvent:
			fmt.Println(frame.Event.Severity, frame.Event.Description)
		case tidings.FrameUpdated:
			fmt.Println("updated:", frame.Event.Severity, frame.Event.Description)
		case tidings.FrameLive:
			fmt.Println("live")
		case tidings.FrameReset:
			fmt.Println("reload the list:", frame.Reason)
		case tidings.FrameDisconnected:
			log.Printf("%v; the next attempt is in %v", frame.Failure, frame.RetryIn)
		}
		// After the effect of the frame: a crash in between repeats the frame instead of losing it.
		if err := os.WriteFile("cursor.next", []byte(frame.Cursor), 0o600); err != nil {
			log.Fatal(err)
		}
		if err := os.Rename("cursor.next", "cursor"); err != nil {
			log.Fatal(err)
		}
	}
}
