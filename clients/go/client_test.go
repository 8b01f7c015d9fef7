package tidings

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestEventsOfTheStreamAreParsedByTheStandard(t *testing.T) {
	for text, expected := range map[string]string{
		"\xEF\xBB\xBFid: 1\nevent: ready\ndata: {}\n\n":               "[{ready {} 1}]",
		": comment\n\nevent: x\n\nid: 2\n\ndata: a\ndata:b\ndata\n\n": "[{ a\nb\n 2}]",
		"data: a\r\rdata: b\r\n\r\ndata:  c\n\n":                      "[{ a } { b } {  c }]",
		"id: 1\nid: \x00\ndata: a\n\ndata: cut":                       "[{ a 1}]",
	} {
		for _, reader := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
			parser := newSSEReader(reader)
			var events []sseEvent
			for {
				event, err := parser.next()
				if err != nil {
					break
				}
				events = append(events, event)
			}
			if found := fmt.Sprint(events); found != expected {
				t.Errorf("%q is %s", text, found)
			}
		}
	}
	parser := newSSEReader(strings.NewReader("retry: 2731\n"))
	if _, err := parser.next(); err != io.EOF || parser.retry != 2731*time.Millisecond {
		t.Errorf("%v %v", err, parser.retry)
	}
}

func TestWaitsAreRandomUpToALimitThatDoubles(t *testing.T) {
	for failures, limit := range map[int]float64{0: 1, 1: 2, 3: 8, 4: 16, 5: 30, 90: 30} {
		longest, shortest := 0.0, math.Inf(1)
		for attempt := 0; attempt < 2_000; attempt++ {
			b := backoff{base: defaultBase, failures: failures}
			wait := b.failed(&Failure{RetryAfter: time.Second}).Seconds() - 1
			longest, shortest = math.Max(longest, wait), math.Min(shortest, wait)
		}
		if longest > limit || longest < 0.95*limit || shortest > 0.05*limit || shortest < 0 {
			t.Errorf("after %d failures: %v to %v", failures, shortest, longest)
		}
	}
	var b backoff
	for base, expected := range map[time.Duration]time.Duration{
		0: minServerBase, 2731 * time.Millisecond: 2731 * time.Millisecond, time.Hour: maxServerBase,
	} {
		if b.setServerBase(base); b.base != expected {
			t.Errorf("%v is %v", base, b.base)
		}
	}
}

func TestRetryAfterIsWholeSecondsUpToAMinute(t *testing.T) {
	for text, expected := range map[string]time.Duration{
		"": 0, "0": 0, "17": 17 * time.Second, "61": time.Minute, "99999999999999999999999": time.Minute, "-1": 0,
		"1.5": 0, "Fri, 31 Dec 2027 23:59:59 GMT": 0,
	} {
		if found := retryAfter(text); found != expected {
			t.Errorf("%q is %v", text, found)
		}
	}
}

func TestAddressesThatCannotBeUsedAreRejected(t *testing.T) {
	for address, fault := range map[string]string{
		"": "is \"\"", "tidings:9081": "http or https", "http://a b": "cannot be read", "ftp://a": "http or https",
		"http://user@a": "user", "https://a?b": "query", "http://a.example.org": "unencrypted",
	} {
		_, err := New(Config{Server: address, Token: Token("a")})
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, address := range []string{"http://localhost:1", "http://[::1]:1", "http://127.0.0.9/a/", "https://a/b"} {
		client, err := New(Config{Server: address, Token: Token("a")})
		if err != nil || client.events != strings.TrimRight(address, "/")+"/api/system/events" {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := New(Config{Server: "http://a", Token: Token("a"), AllowPlainHTTP: true}); err != nil {
		t.Error(err)
	}
}

func TestUnusableTokensAreNotSent(t *testing.T) {
	directory := t.TempDir()
	good := filepath.Join(directory, "good")
	if err := os.WriteFile(good, []byte(" a.b-c=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	client := func(source TokenSource) *Client {
		client, err := New(Config{Server: "http://127.0.0.1:9", Token: source, RetryFor: -1})
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	if token, failure := client(TokenFile(good)).token(nil); failure != nil || token != "a.b-c=" {
		t.Error(token, failure)
	}
	for fault, source := range map[string]TokenSource{
		"no such file": TokenFile(filepath.Join(directory, "missing")), "regular": TokenFile(directory),
		"empty": Token(" \n"), "characters": Token("my secret"), "longer": Token(strings.Repeat("a", 20_000)),
	} {
		failure := failureOf(client(source).token(nil))
		if failure == nil || failure.Code != CodeNoToken || failure.Temporary() ||
			!strings.Contains(failure.Error(), fault) || strings.Contains(failure.Error(), "secret") {
			t.Errorf("%s: %v", fault, failure)
		}
	}
}

func failureOf(_ string, failure *Failure) *Failure { return failure }

func TestUUIDsAreReadInTheirUsualForms(t *testing.T) {
	id := NewUUID()
	for _, text := range []string{id.String(), strings.ToUpper(id.String()), strings.ReplaceAll(id.String(), "-", "")} {
		if read, err := ParseUUID(text); err != nil || read != id {
			t.Errorf("%s: %v %v", text, read, err)
		}
	}
	for _, text := range []string{"", "alice", id.String() + "0", "{}"} {
		if _, err := ParseUUID(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
	// The example of RFC 9562, A.4.
	dns := UUID{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	if named := NamedUUID(dns, "www.example.com").String(); named != "2ed6657d-e927-568b-95e1-2665a8aea6a2" {
		t.Error(named)
	}
}

func TestSilentStreamIsReplaced(t *testing.T) {
	connected := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "retry: 100\nid: a\nevent: ready\ndata: {}\n\n")
		w.(http.Flusher).Flush()
		connected <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	client, err := New(Config{Server: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	client.silence = 50 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream := client.Follow(ctx, "")
	for _, expected := range []FrameKind{FrameReady, FrameDisconnected, FrameReady} {
		frame, err := stream.Next()
		if err != nil || frame.Kind != expected {
			t.Fatalf("%+v %v", frame, err)
		}
		if frame.Failure != nil && frame.Failure.Code != CodeStreamSilent {
			t.Error(frame.Failure)
		}
	}
	<-connected
	<-connected
}
