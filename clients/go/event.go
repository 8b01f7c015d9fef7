package tidings

import (
	"encoding/json"
	"time"
)

// EventSeverity is the urgency of an event.
type EventSeverity string

// The severities, from the most urgent one.
const (
	Emergency     EventSeverity = "emergency"
	Alert         EventSeverity = "alert"
	Critical      EventSeverity = "critical"
	Error         EventSeverity = "error"
	Warning       EventSeverity = "warning"
	Success       EventSeverity = "success"
	Informational EventSeverity = "informational"
	Debug         EventSeverity = "debug"
)

// EventStatus tells whether a reader has read an event.
type EventStatus string

// The statuses.
const (
	Unread EventStatus = "unread"
	Read   EventStatus = "read"
)

// Event is a record of something that a server did. EventBuilder.Build creates one to publish; the list and
// the stream return stored ones.
type Event struct {
	ID          UUID                   `json:"id"`
	Owner       UUID                   `json:"owner"`
	SystemID    UUID                   `json:"systemId"`
	OperationID UUID                   `json:"operationId"`
	ActedUpon   UUID                   `json:"actedUpon"`
	Category    string                 `json:"category"`
	Action      string                 `json:"action"`
	Description string                 `json:"description"`
	Severity    EventSeverity          `json:"severity"`
	Status      EventStatus            `json:"status"`
	Metadata    map[string]interface{} `json:"metadata"`
	CreatedAt   time.Time              `json:"createdAt"`
	UpdatedAt   time.Time              `json:"updatedAt"`
	DeletedAt   *time.Time             `json:"deletedAt,omitempty"`

	recipient recipient
}

// recipient tells whose event a built event is.
type recipient int

const (
	// ownerIsUser means the user in Owner, or the system if Owner is nil.
	ownerIsUser recipient = iota
	// ownerIsCaller means the user of the client's token.
	ownerIsCaller
	// ownerIsMissing means that FromUser was called with the nil UUID.
	ownerIsMissing
)

// eventBody is an event as a publish request carries it.
type eventBody struct {
	ID          UUID                   `json:"id"`
	Owner       string                 `json:"owner,omitempty"`
	SystemID    UUID                   `json:"systemId"`
	OperationID UUID                   `json:"operationId"`
	ActedUpon   UUID                   `json:"actedUpon"`
	Category    string                 `json:"category"`
	Action      string                 `json:"action"`
	Description string                 `json:"description"`
	Severity    EventSeverity          `json:"severity,omitempty"`
	Metadata    map[string]interface{} `json:"metadata"`
	CreatedAt   *time.Time             `json:"createdAt,omitempty"`
}

// body returns the JSON of a publish request. The server judges everything but the owner: without a user an
// event is shown to every user, and a missing user id must not cause that.
func (e *Event) body() ([]byte, error) {
	if e == nil {
		return nil, invalid("the event is nil", "build an event with NewEvent")
	}
	if e.ID.IsNil() {
		return nil, invalid("the event has no id", "build the event with NewEvent, or set ID to NewUUID()")
	}
	owner, err := ownerText(e.Owner, e.recipient)
	if err != nil {
		return nil, err
	}
	body := eventBody{
		e.ID, owner, e.SystemID, e.OperationID, e.ActedUpon, e.Category, e.Action, e.Description, e.Severity,
		storable(e.Metadata, 0), nil,
	}
	if !e.CreatedAt.IsZero() {
		body.CreatedAt = &e.CreatedAt
	}
	return json.Marshal(body)
}

func ownerText(owner UUID, to recipient) (string, error) {
	switch {
	case to == ownerIsMissing:
		return "", invalid(
			"FromUser was called with the nil UUID",
			"pass the user's UUID, or leave FromUser out for an event that every user sees",
		)
	case to == ownerIsCaller:
		return "", nil
	case owner.IsNil():
		return "system", nil
	default:
		return owner.String(), nil
	}
}
