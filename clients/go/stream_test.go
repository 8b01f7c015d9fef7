package tidings_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	tidings "tidings.example.org/go"
)

func publishAll(t *testing.T, client *tidings.Client, events []*tidings.Event) {
	t.Helper()
	for index, outcome := range client.PublishEach(limited(t), events) {
		if outcome.Err != nil {
			t.Fatalf("event %d: %v", index, outcome.Err)
		}
	}
}

func TestStreamHasAFrameForEachChange(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := server.client(server.origin(), nil)
	stream := client.Follow(limited(t), "")
	ready, _ := until(t, stream, tidings.FrameReady)
	live, before := until(t, stream, tidings.FrameLive)
	if ready.Cursor == "" || live.Unread == nil || len(before) != 0 {
		t.Errorf("%+v %+v", ready, live)
	}

	event := started().WithDescription("Pinged").Build()
	if _, err := client.Publish(limited(t), event); err != nil {
		t.Fatal(err)
	}
	frame, _ := until(t, stream, tidings.FrameEvent)
	if frame.Event.ID != event.ID || frame.Event.Description != "Pinged" || frame.Cursor != stream.Cursor() {
		t.Errorf("%+v", frame)
	}

	update := tidings.NewUpdate(event.ID).FromUser(localUser).WithSeverity(tidings.Warning).Build()
	if _, err := client.Update(limited(t), update); err != nil {
		t.Fatal(err)
	}
	frame, _ = until(t, stream, tidings.FrameUpdated)
	if frame.Event.Severity != tidings.Warning || frame.Unread[tidings.Warning] != 1 || frame.Unread[tidings.Success] != -1 {
		t.Errorf("%+v", frame)
	}

	server.send(http.MethodPut, "/status/"+event.ID.String(), `{"status":"read"}`)
	frame, _ = until(t, stream, tidings.FrameStatus)
	if frame.IDs[0] != event.ID || frame.Status != tidings.Read || frame.Read[tidings.Warning] != 1 ||
		frame.UpdatedAt.IsZero() || frame.SystemIDs == nil {
		t.Errorf("%+v", frame)
	}

	server.send(http.MethodDelete, "/"+event.ID.String(), "")
	frame, _ = until(t, stream, tidings.FrameDeleted)
	if frame.IDs[0] != event.ID || frame.Read[tidings.Warning] != -1 {
		t.Errorf("%+v", frame)
	}
}

func TestStreamResumesAfterARestart(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := server.client(server.origin(), nil)
	stream := client.Follow(limited(t), "")
	until(t, stream, tidings.FrameLive)
	var seen []string
	for round, end := range []func(){server.kill, server.terminate, server.kill} {
		publishAll(t, client, numbered(10*round, 10*round+4))
		for len(seen) < 10*round+2 {
			frame, _ := until(t, stream, tidings.FrameEvent)
			seen = append(seen, frame.Event.Description)
		}
		end()
		// Frames that arrived before the end are still read.
		lost, before := until(t, stream, tidings.FrameDisconnected)
		if !lost.Failure.Temporary() || lost.Cursor != stream.Cursor() {
			t.Errorf("%+v", lost)
		}
		server.start()
		publishAll(t, client, numbered(10*round+4, 10*round+10))
		_, after := until(t, stream, tidings.FrameLive)
		for _, frame := range append(before, after...) {
			if frame.Event != nil {
				seen = append(seen, frame.Event.Description)
			}
		}
	}
	var expected []string
	for number := 0; number < 30; number++ {
		expected = append(expected, fmt.Sprint(number))
	}
	if fmt.Sprint(seen) != fmt.Sprint(expected) {
		t.Errorf("%v", seen)
	}
}

func TestStreamContinuesFromACursor(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := server.client(server.origin(), nil)
	publishAll(t, client, numbered(0, 5))
	first := client.Follow(limited(t), tidings.Earliest)
	for number := 0; number < 3; number++ {
		until(t, first, tidings.FrameEvent)
	}
	first.Close()
	second := client.Follow(limited(t), first.Cursor())
	_, replayed := until(t, second, tidings.FrameLive)
	if len(replayed) != 3 || replayed[1].Event.Description != "3" || replayed[2].Event.Description != "4" {
		t.Errorf("%v", kinds(replayed))
	}
	page, err := client.List(limited(t), nil)
	if err != nil || page.Cursor != second.Cursor() {
		t.Errorf("%v is not %s: %v", page, second.Cursor(), err)
	}
}

func TestUnusableCursorIsReset(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := server.client(server.origin(), nil)
	stream := client.Follow(limited(t), "yesterday")
	reset, _ := until(t, stream, tidings.FrameReset)
	if reset.Reason != "malformed" || reset.Cursor == "" || stream.Cursor() != reset.Cursor {
		t.Errorf("%+v", reset)
	}
	until(t, stream, tidings.FrameLive)
}

func TestSlowReaderMissesNothing(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := server.client(server.origin(), nil)
	stream := client.Follow(limited(t), "")
	until(t, stream, tidings.FrameLive)
	// Far more than sockets and the server's window hold, while nobody reads.
	const count = 4_000
	var events []*tidings.Event
	for number := 0; number < count; number++ {
		events = append(events, started().WithDescription(fmt.Sprint(number, strings.Repeat("x", 4_000))).Build())
	}
	publishAll(t, client, events)
	for number := 0; number < count; number++ {
		frame, before := until(t, stream, tidings.FrameEvent)
		for _, other := range before {
			if other.Kind == tidings.FrameDisconnected {
				t.Errorf("%v", other.Failure)
			}
		}
		if frame.Event.ID != events[number].ID {
			t.Fatalf("event %d is %s", number, frame.Event.Description[:10])
		}
	}
}

func TestCancelledContextEndsTheStream(t *testing.T) {
	server := startServer(t)
	client := server.client(server.origin(), nil)
	goroutines := runtime.NumGoroutine()
	for _, isOpen := range []bool{true, false} {
		ctx, cancel := context.WithCancel(context.Background())
		stream := client.Follow(ctx, "")
		until(t, stream, tidings.FrameLive)
		if !isOpen {
			server.kill()
			until(t, stream, tidings.FrameDisconnected)
		}
		ended := make(chan error)
		go func() {
			for {
				if _, err := stream.Next(); err != nil {
					ended <- err
					return
				}
			}
		}()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) || failure(t, err).Code != tidings.CodeCancelled {
			t.Error(err)
		}
	}
	for deadline := time.Now().Add(stuck); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left", runtime.NumGoroutine()-goroutines)
		}
	}
}

func TestRenewedTokenContinuesTheStream(t *testing.T) {
	t.Parallel()
	server, token := login(t)
	path := filepath.Join(t.TempDir(), "token")
	replace := func(token string) {
		if err := os.WriteFile(path+".new", []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	replace(token(16*time.Second, "events:read"))
	stream := server.client(server.origin(), tidings.TokenFile(path)).Follow(limited(t), "")
	publisher := server.client(server.origin(), tidings.Token(token(time.Hour, "events:publish", "events:read")))
	until(t, stream, tidings.FrameLive)
	expiring, _ := until(t, stream, tidings.FrameExpiring)
	if expiring.At.IsZero() {
		t.Errorf("%+v", expiring)
	}
	replace(token(time.Hour, "events:read"))
	publishAll(t, publisher, numbered(0, 2))
	var seen []string
	_, frames := until(t, stream, tidings.FrameReady)
	_, replayed := until(t, stream, tidings.FrameLive)
	for _, frame := range append(frames, replayed...) {
		switch frame.Kind {
		case tidings.FrameEvent:
			seen = append(seen, frame.Event.Description)
		case tidings.FrameExpiring:
		default:
			t.Errorf("%+v", frame)
		}
	}
	if fmt.Sprint(seen) != "[0 1]" {
		t.Error(seen)
	}
}

func TestExpiredTokenEndsTheStream(t *testing.T) {
	t.Parallel()
	server, token := login(t)
	stream := server.client(server.origin(), tidings.Token(token(4*time.Second, "events:read"))).Follow(limited(t), "")
	var err error
	for err == nil {
		_, err = stream.Next()
	}
	if fault := failure(t, err); fault.Code != "token_expired" || len(fault.Remedies) == 0 {
		t.Error(err)
	}
	_, err = server.client(server.origin(), nil).Publish(limited(t), started().Build())
	if failure(t, err).Code != "token_missing" {
		t.Error(err)
	}
	_, err = server.client(server.origin(), tidings.Token(token(time.Hour, "events:read"))).Publish(limited(t), started().Build())
	if failure(t, err).Code != "insufficient_scope" {
		t.Error(err)
	}
}

// scripted is a server whose responses to /subscribe are given, one for each connection; it records the
// cursors that the client sends.
func scripted(t *testing.T, responses ...func(http.ResponseWriter)) (*tidings.Client, func() []string) {
	var cursors []string
	next := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cursors = append(cursors, r.Header.Get("Last-Event-ID"))
		respond := responses[next]
		if next < len(responses)-1 {
			next++
		}
		respond(w)
	}))
	t.Cleanup(server.Close)
	client := (&serverOf{t}).client(server.URL)
	return client, func() []string { return cursors }
}

type serverOf struct{ t *testing.T }

func (s *serverOf) client(address string) *tidings.Client {
	return (&server{t: s.t}).client(address, nil)
}

func frames(text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		fmt.Fprint(w, "retry: 0\n"+text)
	}
}

func TestCursorsOfUnknownFramesAreKept(t *testing.T) {
	t.Parallel()
	client, cursors := scripted(t, frames("id: a\nevent: later\ndata: ?\n\n"), frames("id: b\nevent: ready\ndata: {}\n\n"))
	until(t, client.Follow(limited(t), ""), tidings.FrameReady)
	if fmt.Sprint(cursors()) != "[ a]" {
		t.Errorf("%q", cursors())
	}
}

func TestUnreadableFrameIsAnErrorTheSecondTime(t *testing.T) {
	t.Parallel()
	for _, frame := range []string{"id: a\ndata: {\n\n", "data: {}\n\n", "data: " + strings.Repeat("x", 5<<20) + "\n\n"} {
		client, _ := scripted(t, frames(frame))
		stream := client.Follow(limited(t), "")
		if first, err := stream.Next(); err != nil || first.Kind != tidings.FrameDisconnected {
			t.Errorf("%+v %v", first, err)
		}
		if _, err := stream.Next(); failure(t, err).Code != tidings.CodeUnexpected {
			t.Error(err)
		}
	}
}

func TestResponsesThatAreNotStreamsAreErrors(t *testing.T) {
	t.Parallel()
	for _, respond := range []func(http.ResponseWriter){
		func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") },
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) },
		func(w http.ResponseWriter) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusFound)
		},
	} {
		client, _ := scripted(t, respond)
		if frame, err := client.Follow(limited(t), "").Next(); failure(t, err).Code != tidings.CodeUnexpected {
			t.Errorf("%+v %v", frame, err)
		}
	}
	client, _ := scripted(t,
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, frames("id: b\nevent: ready\ndata: {}\n\n"))
	lost, _ := until(t, client.Follow(limited(t), ""), tidings.FrameDisconnected)
	if lost.Failure.Status != http.StatusBadGateway {
		t.Errorf("%+v", lost)
	}
}
