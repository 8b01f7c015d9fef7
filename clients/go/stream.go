package tidings

import (
	"context"
	"errors"
	"time"
)

// Earliest begins a stream at the oldest stored event.
const Earliest = "earliest"

var errNoCursor = errors.New("a frame has no cursor")

func malformed(err error) *Failure {
	failure := unexpected("a frame cannot be read", err)
	failure.isFrame = true
	return failure
}

// Stream is the live stream of the caller's events and the system's; Client.Follow makes it. It reconnects
// and resumes by itself, without missing or repeating a frame. One goroutine can use it.
type Stream struct {
	client  *Client
	context context.Context
	cursor  string
	open    *connection
	backoff backoff
	wait    time.Duration
	// token is that of the last attempt to connect.
	token string
	// hasWorked means that a frame has arrived on any connection.
	hasWorked bool
	// isRetried means that another token was used at once, and no frame has arrived since then.
	isRetried bool
	// hasStumbled means that a frame could not be read, and that the cursor has not moved since then.
	hasStumbled bool
}

// Follow returns a stream that begins after a cursor, at Earliest, or now if start is empty. It sends nothing
// before the first Next. The end of the context ends the stream and its connection.
func (c *Client) Follow(ctx context.Context, start string) *Stream {
	return &Stream{client: c, context: ctx, cursor: start, backoff: newBackoff()}
}

// Cursor is the position after the last frame. Follow continues from here, also in another process.
func (s *Stream) Cursor() string { return s.cursor }

// Close ends the connection. Next would connect again.
func (s *Stream) Close() {
	if s.open != nil {
		s.open.close()
		s.open = nil
	}
}

// Next waits for the next frame. A lost connection is reported once as FrameDisconnected; the next call waits
// and continues after the last frame. It never gives up on a server that is only unreachable.
//
// An error is one that another attempt cannot resolve: the context has ended, the server has rejected the
// request or the token, or the response is not a stream. Next can be called again when the cause was removed.
func (s *Stream) Next() (Frame, error) {
	for {
		if s.open == nil {
			if !pause(s.context, s.wait) {
				return Frame{}, cancelled(s.context, nil)
			}
			s.wait = 0
			open, token, failure := s.client.connect(s.context, s.cursor)
			s.token = token
			if failure != nil {
				return s.lost(failure, false)
			}
			s.open = open
		}
		frame, failure := s.open.next(s.advance)
		if retry := s.open.reader.retry; retry >= 0 {
			s.backoff.setServerBase(retry)
			s.open.reader.retry = -1
		}
		if failure != nil {
			isRenewed, isExpiring := s.open.isRenewed.Load(), s.open.isExpiring
			s.Close()
			if isRenewed && s.context.Err() == nil {
				continue
			}
			return s.lost(failure, isExpiring && failure.Code == CodeStreamEnded)
		}
		s.advance(frame.Cursor)
		if frame.Kind == FrameExpiring {
			s.open.renew()
		}
		return frame, nil
	}
}

func (s *Stream) advance(cursor string) {
	s.hasStumbled = s.hasStumbled && cursor == s.cursor
	s.cursor, s.hasWorked, s.isRetried = cursor, true, false
	s.backoff.succeeded()
}

// lost decides whether another connection can help. isExpired means that the token has ended the stream.
func (s *Stream) lost(failure *Failure, isExpired bool) (Frame, error) {
	if s.context.Err() != nil {
		return Frame{}, cancelled(s.context, nil)
	}
	disconnected := func(wait time.Duration) (Frame, error) {
		s.wait = wait
		return Frame{Kind: FrameDisconnected, Cursor: s.cursor, Failure: failure, RetryIn: wait}, nil
	}
	if isExpired || failure.needsAnotherToken() {
		token, without := s.client.token(s.context)
		if without != nil {
			failure = without
		} else if token != s.token {
			// If every token is rejected, the attempts need a pause.
			wait := time.Duration(0)
			if s.isRetried {
				wait = s.backoff.failed(failure)
			}
			s.isRetried = true
			return disconnected(wait)
		}
	}
	wait := s.backoff.failed(failure)
	// After a reconnect the same frame arrives again. The first failure can come from the network; the second
	// one comes from the server.
	isFirst := failure.isFrame && !s.hasStumbled
	s.hasStumbled = s.hasStumbled || failure.isFrame
	// A fault of this machine is an error at the start only; later the stream waits for its repair.
	if isFirst || failure.isLocal && s.hasWorked || failure.Temporary() {
		return disconnected(wait)
	}
	s.wait = wait
	return Frame{}, failure
}
