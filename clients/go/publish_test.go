package tidings_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tidings "tidings.example.org/go"
)

func TestPublishStoresTheBuiltEvent(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := server.client(server.origin(), nil)
	builder := started()
	first, second := builder.Build(), builder.WithDescription("two").
		WithMetadata(map[string]interface{}{"nodes": []string{"a"}, "ratio": 0.5}).Build()
	if first.ID == second.ID || first.OperationID != second.OperationID || first.ID[6]>>4 != 7 {
		t.Errorf("%v %v", first, second)
	}
	receipt, err := client.Publish(limited(t), second)
	if err != nil {
		t.Fatal(err)
	}
	if receipt.ID != second.ID || receipt.Description != "two" || receipt.Owner != localUser ||
		receipt.Status != tidings.Unread || !receipt.CreatedAt.Equal(second.CreatedAt) || receipt.Repeated ||
		receipt.Warnings != nil || fmt.Sprint(receipt.Metadata) != "map[nodes:[a] ratio:0.5]" {
		t.Errorf("%+v", receipt)
	}
	again, err := client.Publish(limited(t), second)
	if err != nil || !again.Repeated {
		t.Errorf("%+v %v", again, err)
	}
	system, err := client.Publish(limited(t), tidings.NewEvent().ActedUpon(resource).WithCategory("server").
		WithAction("upgrade").WithSeverity("info").Build())
	if err != nil {
		t.Fatal(err)
	}
	if system.Owner != system.SystemID || len(system.Warnings) != 1 || system.Warnings[0].Code != "converted" {
		t.Errorf("%+v", system)
	}
	own, err := client.Publish(limited(t), started().ForCaller().Build())
	if err != nil || own.Owner != localUser {
		t.Errorf("%+v %v", own, err)
	}
}

type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

func TestMetadataThatJSONCannotHoldIsStoredAsText(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := server.client(server.origin(), nil)
	circle := map[string]interface{}{}
	circle["circle"] = circle
	var missing *nilError
	event := started().WithSeverity(tidings.Error).WithMetadata(map[string]interface{}{
		"error": errors.New("refused"), "channel": make(chan int), "number": math.NaN(), "circle": circle,
		"missing": missing, "inner": map[string]interface{}{"errors": []error{errors.New("a"), nil}},
	}).Build()
	receipt, err := client.Publish(limited(t), event)
	if err != nil {
		t.Fatal(err)
	}
	for key, expected := range map[string]string{
		"channel": "unsupported type: chan int", "number": "unsupported value: NaN", "missing": "cannot be read",
		"inner": "[a]", "error": "[refused]",
	} {
		if text := fmt.Sprint(receipt.Metadata[key]); !strings.Contains(text, expected) {
			t.Errorf("%s is %s", key, text)
		}
	}
}

// meshKitError is written with the fields of a cause, as the errors of MeshKit are.
type meshKitError struct{ Code, ShortDescription, SuggestedRemediation []string }

func (meshKitError) Error() string { return "short" }

func TestCauseWithRemediesIsKept(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := server.client(server.origin(), nil)
	for _, cause := range []interface{}{
		tidings.Cause{ShortDescription: []string{"refused"}, SuggestedRemediation: []string{"start it"}},
		meshKitError{ShortDescription: []string{"refused"}, SuggestedRemediation: []string{"start it"}},
		fmt.Errorf("wrapped: %w", &tidings.Failure{Message: "refused", Remedies: []string{"start it"}}),
	} {
		event := started().WithSeverity(tidings.Error).WithMetadata(map[string]interface{}{"error": cause}).Build()
		receipt, err := client.Publish(limited(t), event)
		if err != nil {
			t.Fatal(err)
		}
		stored := receipt.Metadata["error"].(map[string]interface{})
		if fmt.Sprint(stored["SuggestedRemediation"]) != "[start it]" ||
			!strings.Contains(fmt.Sprint(stored["ShortDescription"]), "refused") {
			t.Errorf("%T: %v", cause, stored)
		}
	}
}

func TestLostResponseIsRetriedUnderTheSameID(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	address, requests := server.proxy(func(number int64, w http.ResponseWriter, forward func()) bool {
		if number > 1 {
			return false
		}
		// The server stores the event, and the response is lost.
		forward()
		panic(http.ErrAbortHandler)
	})
	client := server.client(address, nil)
	receipt, err := client.Publish(limited(t), started().Build())
	if err != nil || !receipt.Repeated || requests.Load() != 2 {
		t.Fatalf("%+v %v after %d requests", receipt, err, requests.Load())
	}
	page, err := client.List(limited(t), nil)
	if err != nil || page.TotalCount != 1 {
		t.Fatalf("%+v %v", page, err)
	}
}

func TestRetryAfterIsWaitedFor(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		address, requests := server.proxy(func(number int64, w http.ResponseWriter, _ func()) bool {
			if number > 1 {
				return false
			}
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(status)
			return true
		})
		before := time.Now()
		_, err := server.client(address, nil).Publish(limited(t), started().Build())
		if err != nil || requests.Load() != 2 || time.Since(before) < 2*time.Second {
			t.Errorf("%v after %v and %d requests", err, time.Since(before), requests.Load())
		}
	}
}

func TestRejectedEventIsNotRetried(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	address, requests := server.proxy(func(int64, http.ResponseWriter, func()) bool { return false })
	client := server.client(address, nil)
	_, err := client.Publish(limited(t), tidings.NewEvent().Build())
	fault := failure(t, err)
	if fault.Status != 400 || fault.Code != "invalid_event" || fault.Temporary() ||
		len(fault.Details) != len(fault.Remedies) || !strings.Contains(err.Error(), "actedUpon is the nil UUID") ||
		!strings.Contains(err.Error(), "give the UUID of the resource") {
		t.Error(err)
	}
	event := started().Build()
	if _, err := client.Publish(limited(t), event); err != nil {
		t.Fatal(err)
	}
	event.Description = "other"
	_, err = client.Publish(limited(t), event)
	if fault := failure(t, err); fault.Status != 409 || fault.Code != "event_conflict" {
		t.Error(err)
	}
	if requests.Load() != 3 {
		t.Errorf("%d requests", requests.Load())
	}
}

func TestTooLargeEventNamesTheLimit(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := server.client(server.origin(), nil)
	cut, err := client.Publish(limited(t), started().WithDescription(strings.Repeat("x", 200<<10)).Build())
	if err != nil || cut.Warnings[0].Code != "truncated" {
		t.Errorf("%v %v", cut, err)
	}
	for _, size := range []int{5 << 20, 64 << 20} {
		event := started().WithMetadata(map[string]interface{}{"log": strings.Repeat("x", size)}).Build()
		_, err := client.Publish(limited(t), event)
		fault := failure(t, err)
		if fault.Status != 413 || fault.Code != "too_large" || len(fault.Remedies) == 0 {
			t.Errorf("%d bytes: %v", size, err)
		}
		outcomes := client.PublishEach(limited(t), []*tidings.Event{started().Build(), event, started().Build()})
		if outcomes[0].Err != nil || outcomes[2].Err != nil || failure(t, outcomes[1].Err).Code != "too_large" {
			t.Errorf("%d bytes: %v", size, outcomes)
		}
	}
}

// countingTransport reports the number of failed attempts.
type countingTransport struct {
	http.RoundTripper
	failed chan<- struct{}
}

func (c countingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := c.RoundTripper.RoundTrip(request)
	if err != nil {
		c.failed <- struct{}{}
	}
	return response, err
}

func TestPublishOutlastsAServerThatIsAway(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	server.kill()
	failed := make(chan struct{}, 1000)
	client, err := tidings.New(tidings.Config{
		Server: server.origin(), HTTP: &http.Client{Transport: countingTransport{&http.Transport{}, failed}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var publishes sync.WaitGroup
	for number := 0; number < 5; number++ {
		publishes.Add(1)
		go func() {
			defer publishes.Done()
			if receipt, err := client.Publish(limited(t), started().Build()); err != nil || receipt.Repeated {
				t.Errorf("%+v %v", receipt, err)
			}
		}()
	}
	for number := 0; number < 12; number++ {
		<-failed
	}
	server.start()
	publishes.Wait()
	if page, err := client.List(limited(t), nil); err != nil || page.TotalCount != 5 {
		t.Errorf("%+v %v", page, err)
	}
}

func TestRetriesLastTheirWholeTime(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	client, err := tidings.New(tidings.Config{Server: server.URL, RetryFor: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for round := 0; round < 3; round++ {
		before, sent := time.Now(), requests.Load()
		_, err = client.Publish(limited(t), started().Build())
		if failure(t, err).Status != 503 || time.Since(before) < 500*time.Millisecond || requests.Load()-sent < 2 {
			t.Errorf("%v after %v and %d requests", err, time.Since(before), requests.Load()-sent)
		}
	}
}

func TestUntrustedCertificateIsNotRetried(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	client, err := tidings.New(tidings.Config{Server: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Publish(limited(t), started().Build())
	if fault := failure(t, err); fault.Code != tidings.CodeUntrusted || fault.Temporary() {
		t.Error(err)
	}
	_, err = client.Follow(limited(t), "").Next()
	if failure(t, err).Code != tidings.CodeUntrusted {
		t.Error(err)
	}
}

func TestRetriesEndWithTheirTimeOrTheContext(t *testing.T) {
	t.Parallel()
	client, err := tidings.New(tidings.Config{Server: "http://127.0.0.1:9", RetryFor: -1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Publish(limited(t), started().Build())
	if fault := failure(t, err); fault.Code != tidings.CodeUnreachable || !fault.Temporary() {
		t.Error(err)
	}
	failed := make(chan struct{}, 1000)
	client, err = tidings.New(tidings.Config{
		Server: "http://127.0.0.1:9", HTTP: &http.Client{Transport: countingTransport{&http.Transport{}, failed}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-failed
		<-failed
		cancel()
	}()
	outcomes := client.PublishEach(ctx, numbered(0, 2500))
	for _, outcome := range outcomes {
		if !errors.Is(outcome.Err, context.Canceled) || failure(t, outcome.Err).Code != tidings.CodeCancelled {
			t.Fatal(outcome.Err)
		}
	}
}

func TestBatchIsStoredWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := server.client(server.origin(), nil)
	receipts, err := client.PublishBatch(limited(t), numbered(0, 3))
	if err != nil || len(receipts) != 3 || receipts[2].Description != "2" {
		t.Fatalf("%v %v", receipts, err)
	}
	_, err = client.PublishBatch(limited(t), append(numbered(3, 5), tidings.NewEvent().WithCategory("a").Build()))
	if !strings.Contains(fmt.Sprint(failure(t, err).Details), "[2].actedUpon") {
		t.Error(err)
	}
	_, err = client.PublishBatch(limited(t), []*tidings.Event{started().Build(), started().FromUser([16]byte{}).Build()})
	if !strings.Contains(fmt.Sprint(failure(t, err).Details), "event 1") {
		t.Error(err)
	}
	_, err = client.PublishBatch(limited(t), numbered(0, 1001))
	if fault := failure(t, err); fault.Code != "too_large" || !strings.Contains(err.Error(), "more than the 1000 allowed") {
		t.Error(err)
	}
	if page, err := client.List(limited(t), nil); err != nil || page.TotalCount != 3 {
		t.Errorf("%+v %v", page, err)
	}
}

func TestTenThousandEventsHaveAnOutcomeEach(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--max-batch-events", "300")
	client := server.client(server.origin(), nil)
	events := numbered(0, 10_000)
	events[4321] = tidings.NewEvent().WithCategory("a").Build()
	events[8000] = nil
	outcomes := client.PublishEach(limited(t), events)
	for index, outcome := range outcomes {
		switch index {
		case 4321:
			if fault := failure(t, outcome.Err); fault.Status != 400 || len(fault.Remedies) == 0 {
				t.Error(fault)
			}
		case 8000:
			if failure(t, outcome.Err).Code != tidings.CodeInvalidEvent {
				t.Error(outcome.Err)
			}
		default:
			if outcome.Err != nil || outcome.Receipt.ID != events[index].ID {
				t.Fatalf("%d: %+v", index, outcome)
			}
		}
	}
	page, err := client.List(limited(t), url.Values{"pagesize": {"1"}})
	if err != nil || page.TotalCount != 9_998 || page.Next == "" || len(page.Events) != 1 {
		t.Errorf("%+v %v", page, err)
	}
}

func TestUpdateReplacesTheContentInOrder(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := server.client(server.origin(), nil)
	event := started().WithSeverity(tidings.Informational).Build()
	if _, err := client.Publish(limited(t), event); err != nil {
		t.Fatal(err)
	}
	update := func(percent int64) *tidings.Update {
		return tidings.NewUpdate(event.ID).FromUser(localUser).WithSeverity(tidings.Success).
			WithDescription("Deploying").WithMetadata(map[string]interface{}{"progress": percent}).
			WithSequence(percent).Build()
	}
	receipt, err := client.Update(limited(t), update(50))
	if err != nil || receipt.Severity != tidings.Success || receipt.Metadata["progress"] != 50.0 || receipt.Repeated {
		t.Fatalf("%+v %v", receipt, err)
	}
	receipt, err = client.Update(limited(t), update(25))
	if err != nil || receipt.Metadata["progress"] != 50.0 || !receipt.Repeated {
		t.Errorf("%+v %v", receipt, err)
	}
	server.send(http.MethodPut, "/status/"+event.ID.String(), `{"status":"read"}`)
	receipt, err = client.Update(limited(t), tidings.NewUpdate(event.ID).ForCaller().
		WithSeverity(tidings.Success).Renotify().Build())
	if err != nil || receipt.Status != tidings.Unread || receipt.Metadata != nil {
		t.Errorf("%+v %v", receipt, err)
	}
	server.send(http.MethodDelete, "/"+event.ID.String(), "")
	_, err = client.Update(limited(t), update(75))
	if failure(t, err).Code != "event_not_found" {
		t.Error(err)
	}
}

func TestRetractTakesAnEventBack(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := server.client(server.origin(), nil)
	stream := client.Follow(limited(t), "")
	until(t, stream, tidings.FrameLive)
	own := started().Build()
	system := tidings.NewEvent().ActedUpon(resource).WithCategory("a").WithAction("b").WithSeverity(tidings.Debug).Build()
	publishAll(t, client, []*tidings.Event{own, system})
	retractions := []struct {
		id      tidings.UUID
		retract func() error
	}{
		{own.ID, func() error { return client.Retract(limited(t), own.ID, localUser) }},
		{system.ID, func() error { return client.RetractForAll(limited(t), system.ID) }},
	}
	for _, one := range retractions {
		if err := one.retract(); err != nil {
			t.Fatal(err)
		}
		if frame, _ := until(t, stream, tidings.FrameDeleted); frame.IDs[0] != one.id {
			t.Errorf("%+v", frame)
		}
		// A repeat after a lost response succeeds.
		if err := one.retract(); err != nil {
			t.Error(err)
		}
	}
	if failure(t, client.Retract(limited(t), tidings.NewUUID(), localUser)).Code != "event_not_found" {
		t.Error("an unknown event was retracted")
	}
	if failure(t, client.Retract(limited(t), own.ID, tidings.UUID{})).Code != tidings.CodeInvalidEvent {
		t.Error("an event without a user was retracted")
	}
}
