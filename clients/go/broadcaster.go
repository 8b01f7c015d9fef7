package tidings

import (
	"context"
	"log"
)

// Broadcaster has the calls of a handler that is written after the guide for server events, which neither
// pass a context nor read an error of Publish.
type Broadcaster struct {
	Client *Client
	// OnError is called with each event that was not stored [default: it is logged].
	OnError func(event *Event, err error)
}

// PersistEvent publishes the event. Publish of the same event then changes nothing.
func (b *Broadcaster) PersistEvent(event *Event) error {
	_, err := b.Client.Publish(context.Background(), event)
	return err
}

// Publish publishes the event to the user who is its owner; an event without an owner goes to user.
func (b *Broadcaster) Publish(user [16]byte, event *Event) {
	if event != nil && event.Owner.IsNil() && event.recipient == ownerIsUser && user != [16]byte{} {
		addressed := *event
		addressed.Owner = user
		event = &addressed
	}
	if err := b.PersistEvent(event); err != nil {
		if b.OnError != nil {
			b.OnError(event, err)
			return
		}
		log.Printf("tidings: an event was not stored: %v", err)
	}
}
