package tidings

import (
	"context"
	"encoding/json"
	"net/http"
)

// Update is new content of a published event.
type Update struct {
	ID UUID

	event    Event
	sequence *int64
	renotify bool
}

// UpdateBuilder builds updates; NewUpdate creates it.
type UpdateBuilder struct {
	update Update
}

// NewUpdate starts an update of the event with this id. Without FromUser it is an event of the system.
func NewUpdate(id [16]byte) *UpdateBuilder { return &UpdateBuilder{Update{ID: id}} }

// FromUser sets the owner of the event.
func (b *UpdateBuilder) FromUser(user [16]byte) *UpdateBuilder {
	b.update.event.Owner, b.update.event.recipient = user, ownerIsUser
	if b.update.event.Owner.IsNil() {
		b.update.event.recipient = ownerIsMissing
	}
	return b
}

// ForCaller says that the event belongs to the user of the client's token.
func (b *UpdateBuilder) ForCaller() *UpdateBuilder {
	b.update.event.Owner, b.update.event.recipient = UUID{}, ownerIsCaller
	return b
}

// WithSeverity sets the new urgency. A more urgent one makes the event unread.
func (b *UpdateBuilder) WithSeverity(severity EventSeverity) *UpdateBuilder {
	b.update.event.Severity = severity
	return b
}

// WithDescription sets the new description; without it the description becomes empty.
func (b *UpdateBuilder) WithDescription(description string) *UpdateBuilder {
	b.update.event.Description = description
	return b
}

// WithMetadata replaces the metadata; without it the metadata become empty. "progress", a number from 0 to
// 100, is shown as a bar.
func (b *UpdateBuilder) WithMetadata(metadata map[string]interface{}) *UpdateBuilder {
	b.update.event.Metadata = metadata
	return b
}

// WithSequence orders the updates of the event: one with a sequence that is not higher than the last one
// changes nothing.
func (b *UpdateBuilder) WithSequence(sequence int64) *UpdateBuilder {
	b.update.sequence = &sequence
	return b
}

// Renotify makes the event unread again.
func (b *UpdateBuilder) Renotify() *UpdateBuilder {
	b.update.renotify = true
	return b
}

// Build returns the update.
func (b *UpdateBuilder) Build() *Update {
	update := b.update
	update.event.Metadata = storable(update.event.Metadata, 0)
	return &update
}

func (u *Update) body() ([]byte, error) {
	if u == nil || u.ID.IsNil() {
		return nil, invalid("the update has no event id", "pass the id of the published event to NewUpdate")
	}
	owner, err := ownerText(u.event.Owner, u.event.recipient)
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Owner       string                 `json:"owner,omitempty"`
		Severity    EventSeverity          `json:"severity,omitempty"`
		Description string                 `json:"description"`
		Metadata    map[string]interface{} `json:"metadata"`
		Sequence    *int64                 `json:"sequence,omitempty"`
		Renotify    bool                   `json:"renotify,omitempty"`
	}{owner, u.event.Severity, u.event.Description, u.event.Metadata, u.sequence, u.renotify})
}

// Retract takes back an event that was published to a user: it disappears from their inbox. It is final:
// publishing the event again does not bring it back.
func (c *Client) Retract(ctx context.Context, id, user [16]byte) error {
	if user == [16]byte{} {
		return invalid("the user is the nil UUID", "pass the user's UUID, or call RetractForAll for a system event")
	}
	return c.retract(ctx, id, UUID(user).String())
}

// RetractForAll takes back an event of the system: it disappears from every inbox.
func (c *Client) RetractForAll(ctx context.Context, id [16]byte) error {
	return c.retract(ctx, id, "system")
}

func (c *Client) retract(ctx context.Context, id UUID, owner string) error {
	if id.IsNil() {
		return invalid("the event id is the nil UUID", "pass the id of the published event")
	}
	_, _, err := c.send(ctx, call{http.MethodDelete, "/" + id.String() + "?owner=" + owner, nil})
	return err
}
