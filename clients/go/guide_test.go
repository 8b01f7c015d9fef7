package tidings_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	events "tidings.example.org/go"
)

// gofrsUUID has the form of the UUID of github.com/gofrs/uuid, which the guide uses.
type gofrsUUID [16]byte

func fromStringOrNil(text string) gofrsUUID {
	id, _ := events.ParseUUID(text)
	return gofrsUUID(id)
}

// broadcaster stands for h.config.EventBroadcaster and for what the provider stores events with; it tells when
// a publish has ended.
type broadcaster struct {
	events.Broadcaster
	published *sync.WaitGroup
}

func (b broadcaster) Publish(user gofrsUUID, event *events.Event) {
	defer b.published.Done()
	b.Broadcaster.Publish(user, event)
}

type handler struct {
	systemID *gofrsUUID
	config   struct{ EventBroadcaster broadcaster }
	fetch    func(connection string) (name string, err error)
}

// ping has the body of the guide's example; only the names of its own server are shorter.
func (h *handler) ping(w http.ResponseWriter, req *http.Request, userID gofrsUUID) {
	provider := h.config.EventBroadcaster
	connectionID := req.URL.Query().Get("connection_id")
	eventBuilder := events.NewEvent().FromUser(userID).FromSystem(*h.systemID).WithCategory("connection").WithAction("ping")
	if connectionID != "" {
		k8sContext, err := h.fetch(connectionID)
		eventBuilder.ActedUpon(fromStringOrNil(connectionID))
		if err != nil {
			eventBuilder.WithSeverity(events.Error).WithDescription(fmt.Sprintf("Encountered an issue while retrieving kubernetes context for connection ID `%s`", connectionID)).
				WithMetadata(map[string]interface{}{
					"error": err,
				})
			event := eventBuilder.Build()
			_ = provider.PersistEvent(event)
			go h.config.EventBroadcaster.Publish(userID, event)
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, "failed to get kubernetes context for the given ID")
			return
		}
		eventBuilder.WithSeverity(events.Success).WithDescription("Retrieved kubernetes context successfully").
			WithMetadata(map[string]interface{}{
				"Context Name": k8sContext,
			})
		event := eventBuilder.Build()
		_ = provider.PersistEvent(event)
		go h.config.EventBroadcaster.Publish(userID, event)
	}
}

func TestHandlerOfTheGuideStoresOneEventForEachOutcome(t *testing.T) {
	server := startServer(t)
	client := server.client(server.origin(), nil)
	system := gofrsUUID(events.NewUUID())
	refused := fmt.Errorf("could not fetch the context: %w", errors.New("connection refused"))
	var published sync.WaitGroup
	h := handler{systemID: &system}
	h.config.EventBroadcaster = broadcaster{events.Broadcaster{Client: client, OnError: func(_ *events.Event, err error) {
		t.Error(err)
	}}, &published}
	for _, outcome := range []error{refused, nil} {
		h.fetch = func(string) (string, error) { return "kind-kind", outcome }
		published.Add(1)
		request := httptest.NewRequest("GET", "/?connection_id="+resource.String(), nil)
		h.ping(httptest.NewRecorder(), request, gofrsUUID(localUser))
		published.Wait()
	}

	page, err := client.List(limited(t), url.Values{"sort": {"created_at"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Events) != 2 {
		t.Fatalf("%d events are stored", len(page.Events))
	}
	failed, succeeded := page.Events[0], page.Events[1]
	if failed.Severity != events.Error || failed.ActedUpon != resource || failed.Owner != localUser ||
		failed.SystemID != events.UUID(system) {
		t.Errorf("%+v", failed)
	}
	cause := failed.Metadata["error"].(map[string]interface{})
	if fmt.Sprint(cause["ShortDescription"]) != "[could not fetch the context: connection refused]" ||
		fmt.Sprint(cause["LongDescription"]) != "[connection refused]" {
		t.Errorf("%v", cause)
	}
	if succeeded.Severity != events.Success || succeeded.Metadata["Context Name"] != "kind-kind" ||
		succeeded.Metadata["error"] != nil {
		t.Errorf("%+v", succeeded)
	}
}

func TestEventWithoutAUserGoesToTheUserOfPublish(t *testing.T) {
	server := startServer(t)
	client := server.client(server.origin(), nil)
	b := events.Broadcaster{Client: client}
	b.Publish(localUser, started().Build())
	b.Publish(localUser, events.NewEvent().ActedUpon(resource).WithCategory("a").WithAction("b").
		WithSeverity(events.Success).Build())
	page, err := client.List(limited(t), url.Values{"ownerKind": {"user"}})
	if err != nil || page.TotalCount != 2 {
		t.Fatalf("%+v %v", page, err)
	}
}

func TestMissingUserIDDoesNotMakeAnEventForEveryUser(t *testing.T) {
	client := (&server{t: t}).client("http://127.0.0.1:9", nil)
	_, err := client.Publish(context.Background(), started().FromUser(fromStringOrNil("?")).Build())
	if fault := failure(t, err); fault.Code != events.CodeInvalidEvent || len(fault.Remedies) != 1 {
		t.Fatal(err)
	}
}
