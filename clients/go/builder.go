package tidings

import "time"

// EventBuilder builds events step by step; NewEvent creates it. Each method changes the builder and returns
// it, so that calls can be chained or not.
type EventBuilder struct {
	event Event
}

// NewEvent starts an event with a new operation id, which all events of this builder share. Without FromUser
// the system owns the event, and every user sees it.
func NewEvent() *EventBuilder {
	return &EventBuilder{Event{OperationID: NewUUID()}}
}

// ActedUpon sets the resource that the event is about; required. NamedUUID makes a UUID of a name.
func (b *EventBuilder) ActedUpon(resource [16]byte) *EventBuilder {
	b.event.ActedUpon = resource
	return b
}

// FromUser sets the user who receives the event. The nil UUID is rejected by Publish.
func (b *EventBuilder) FromUser(user [16]byte) *EventBuilder {
	b.event.Owner, b.event.recipient = user, ownerIsUser
	if b.event.Owner.IsNil() {
		b.event.recipient = ownerIsMissing
	}
	return b
}

// FromOwner is the later name of FromUser.
func (b *EventBuilder) FromOwner(user [16]byte) *EventBuilder { return b.FromUser(user) }

// ForCaller addresses the event to the user of the client's token.
func (b *EventBuilder) ForCaller() *EventBuilder {
	b.event.Owner, b.event.recipient = UUID{}, ownerIsCaller
	return b
}

// FromSystem sets the installation that sends the event. The default is the installation that stores it.
func (b *EventBuilder) FromSystem(system [16]byte) *EventBuilder {
	b.event.SystemID = system
	return b
}

// ForOperation adds the events to an operation that started elsewhere.
func (b *EventBuilder) ForOperation(operation [16]byte) *EventBuilder {
	b.event.OperationID = operation
	return b
}

// WithCategory sets the subject area, such as "connection": snake_case, at most 64 bytes.
func (b *EventBuilder) WithCategory(category string) *EventBuilder {
	b.event.Category = category
	return b
}

// WithAction sets the action, such as "register": snake_case, at most 64 bytes.
func (b *EventBuilder) WithAction(action string) *EventBuilder {
	b.event.Action = action
	return b
}

// WithSeverity sets the urgency.
func (b *EventBuilder) WithSeverity(severity EventSeverity) *EventBuilder {
	b.event.Severity = severity
	return b
}

// WithDescription sets what happened, in words for the user; at most 4 KiB.
func (b *EventBuilder) WithDescription(description string) *EventBuilder {
	b.event.Description = description
	return b
}

// WithMetadata replaces the metadata: at most 64 KiB of JSON. An event of severity error has its cause under
// "error": a Cause, an error or a text. A link to documentation is under "doc".
func (b *EventBuilder) WithMetadata(metadata map[string]interface{}) *EventBuilder {
	b.event.Metadata = metadata
	return b
}

// Build returns an event with a new id and the current time. The builder can build further events.
func (b *EventBuilder) Build() *Event {
	event := b.event
	event.ID = NewUUID()
	event.CreatedAt = time.Now().UTC()
	// The caller can change its map while another goroutine publishes the event.
	event.Metadata = storable(b.event.Metadata, 0)
	return &event
}
