package tidings

import (
	"encoding/json"
	"time"
)

// FrameKind is the kind of a frame.
type FrameKind string

// The kinds of frames, which docs/streaming.md describes. Frames of other kinds are skipped.
const (
	// FrameReady begins a connection, or tells that frames until FrameLive have no counts.
	FrameReady FrameKind = "ready"
	// FrameLive has the exact counts at its cursor. The replay is complete.
	FrameLive FrameKind = "live"
	// FrameEvent has an event that was published.
	FrameEvent FrameKind = "event"
	// FrameUpdated has an event whose content was replaced.
	FrameUpdated FrameKind = "updated"
	// FrameStatus has the ids of events that were marked as read or unread.
	FrameStatus FrameKind = "status"
	// FrameDeleted has the ids of deleted events.
	FrameDeleted FrameKind = "deleted"
	// FrameReset tells that the cursor cannot be used: drop what you show, and fetch the list.
	FrameReset FrameKind = "reset"
	// FrameExpiring tells when the token expires. The stream looks for another token by itself.
	FrameExpiring FrameKind = "expiring"
	// FrameDisconnected comes from the client: the connection was lost, and Next connects again.
	FrameDisconnected FrameKind = "disconnected"
)

// Counts are numbers of events by severity.
type Counts map[EventSeverity]int

// Frame is one frame of the stream. Each kind has some of the fields.
type Frame struct {
	Kind FrameKind
	// Cursor is the position after this frame. Store it with the effect of the frame, or after it.
	Cursor string
	// Event is the event of FrameEvent and FrameUpdated.
	Event *Event
	// IDs are the events of FrameStatus and FrameDeleted.
	IDs []UUID
	// SystemIDs are those of IDs that mean events of the system; nil if the frame does not tell.
	SystemIDs []UUID
	// Status is the new status of FrameStatus.
	Status EventStatus
	// UpdatedAt is the time of FrameStatus.
	UpdatedAt time.Time
	// Unread and Read are the counts of FrameLive, and how FrameUpdated, FrameStatus and FrameDeleted change
	// them. They are nil in a replay.
	Unread, Read Counts
	// Reason is that of FrameReset: malformed, foreign, too_old or too_new.
	Reason string
	// At is when the token of FrameExpiring expires.
	At time.Time
	// Failure is why a connection was lost, and RetryIn how long Next waits.
	Failure *Failure
	RetryIn time.Duration
}

// frame reads an event of the stream; false if its name is unknown.
func (e sseEvent) frame() (Frame, bool, error) {
	frame := Frame{Kind: FrameKind(e.name), Cursor: e.id}
	var data struct {
		Event         *Event
		IDs           []UUID
		SystemIDs     []UUID
		Status        EventStatus
		UpdatedAt, At time.Time
		Unread, Read  Counts
		Reason        string
		Summary       struct{ Unread, Read Counts }
	}
	switch frame.Kind {
	case "":
		frame.Kind, frame.Event = FrameEvent, &Event{}
		return frame, true, json.Unmarshal([]byte(e.data), frame.Event)
	case FrameReady, FrameLive, FrameUpdated, FrameStatus, FrameDeleted, FrameReset, FrameExpiring:
	default:
		return frame, false, nil
	}
	if err := json.Unmarshal([]byte(e.data), &data); err != nil {
		return frame, true, err
	}
	frame.Event, frame.IDs, frame.SystemIDs, frame.Status = data.Event, data.IDs, data.SystemIDs, data.Status
	frame.UpdatedAt, frame.At, frame.Reason = data.UpdatedAt, data.At, data.Reason
	frame.Unread, frame.Read = data.Unread, data.Read
	if frame.Kind == FrameLive {
		frame.Unread, frame.Read = data.Summary.Unread, data.Summary.Read
	}
	return frame, true, nil
}
