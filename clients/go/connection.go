package tidings

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

const (
	// silenceLimit is three keepalives of the server: one can be late and one lost.
	silenceLimit = 45 * time.Second
	// renewalInterval is the time between queries for another token, once the server has announced the end of
	// the one in use.
	renewalInterval = 2 * time.Second
)

// connection is one open stream, until it ends.
type connection struct {
	client  *Client
	context context.Context
	cancel  context.CancelFunc
	body    io.ReadCloser
	reader  *sseReader
	token   string
	// silence ends the connection unless it is stopped.
	silence *time.Timer
	// isSilent and isRenewed tell why the connection was cancelled.
	isSilent, isRenewed atomic.Bool
	// isExpiring means that the server has announced the end of the token.
	isExpiring bool
}

// connect opens the stream after a cursor. It returns the token that it used, even if it fails.
func (c *Client) connect(ctx context.Context, start string) (*connection, string, *Failure) {
	ctx, cancel := context.WithCancel(ctx)
	open := &connection{client: c, context: ctx, cancel: cancel}
	path := "/subscribe"
	if start == Earliest {
		path += "?" + url.Values{"lastEventId": {start}}.Encode()
	}
	request, token, failure := c.request(ctx, call{http.MethodGet, path, nil})
	if failure != nil {
		cancel()
		return nil, token, failure
	}
	open.token = token
	if start != "" && start != Earliest {
		request.Header.Set("Last-Event-ID", start)
	}
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Cache-Control", "no-store")
	open.silence = time.AfterFunc(requestTimeout, open.silent)
	response, err := c.http.Do(request)
	open.silence.Stop()
	if err != nil {
		cancel()
		return nil, token, c.unreachable(err)
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if response.StatusCode != http.StatusOK || kind != "text/event-stream" {
		open.silence.Reset(requestTimeout)
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxFrameBytes))
		open.silence.Stop()
		response.Body.Close()
		cancel()
		if response.StatusCode != http.StatusOK {
			return nil, token, rejection(response, body)
		}
		return nil, token, unexpected("the content type is not text/event-stream", nil)
	}
	open.body = response.Body
	open.reader = newSSEReader(open)
	return open, token, nil
}

func (o *connection) silent() {
	o.isSilent.Store(true)
	o.cancel()
}

// Read reads bytes of the stream. Only this time counts as silence, not that of a slow caller.
func (o *connection) Read(buffer []byte) (int, error) {
	o.silence.Reset(o.client.silence)
	defer o.silence.Stop()
	return o.body.Read(buffer)
}

// next returns the next frame of a known kind, and whether the failure is in a frame. Cursors of others are
// passed to skip.
func (o *connection) next(skip func(cursor string)) (Frame, *Failure) {
	for {
		event, err := o.reader.next()
		if err != nil {
			return Frame{}, o.ended(err)
		}
		frame, isKnown, err := event.frame()
		if err == nil && frame.Cursor == "" {
			err = errNoCursor
		}
		switch {
		case err != nil:
			return Frame{}, malformed(err)
		case isKnown:
			return frame, nil
		}
		skip(frame.Cursor)
	}
}

func (o *connection) ended(err error) *Failure {
	switch {
	case o.isSilent.Load():
		return &Failure{
			Code: CodeStreamSilent, Message: "the stream had no bytes for " + o.client.silence.String(),
			Remedies: []string{"check the network, and that no proxy buffers the stream"}, isTemporary: true,
		}
	case err == errFrameTooLarge:
		return malformed(err)
	case err == io.EOF:
		return &Failure{
			Code: CodeStreamEnded, Message: o.client.config.Server + " closed the stream", isTemporary: true,
		}
	}
	return o.client.unreachable(err)
}

// renew looks for another token, and then ends the connection: frames that were not read come again.
func (o *connection) renew() {
	if o.isExpiring {
		return
	}
	o.isExpiring = true
	go func() {
		for {
			// An error of the source is ignored, since it can succeed next time and the stream is still open.
			token, failure := o.client.token(o.context)
			if failure == nil && token != o.token {
				o.isRenewed.Store(true)
				o.cancel()
			}
			if !pause(o.context, renewalInterval) {
				return
			}
		}
	}()
}

func (o *connection) close() {
	o.cancel()
	o.body.Close()
}
