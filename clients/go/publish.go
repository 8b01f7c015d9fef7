package tidings

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// The limits of one request by default.
const (
	maxBatchEvents = 1000
	// maxBatchBytes leaves room for the marks between events within 4 MiB.
	maxBatchBytes = 4<<20 - maxBatchEvents - 2
)

// Repair is something that the server changed in an event to store it.
type Repair struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Receipt is a stored event: it is on disk and was delivered to every open stream of its owner.
type Receipt struct {
	Event
	// Repeated means that the event, or a later update, was stored before, and that nothing has changed.
	Repeated bool     `json:"-"`
	Warnings []Repair `json:"warnings"`
}

// Publish publishes an event. It repeats the request after temporary failures; the server stores the event
// once, because the request has its id. After a Failure that is temporary or cancelled, publish the same
// event again, not a new one.
func (c *Client) Publish(ctx context.Context, event *Event) (*Receipt, error) {
	body, err := event.body()
	if err != nil {
		return nil, err
	}
	status, answer, err := c.send(ctx, call{http.MethodPost, "", body})
	if err != nil {
		return nil, err
	}
	receipt := &Receipt{}
	if err := json.Unmarshal(answer, receipt); err != nil {
		return nil, unexpected("the receipt cannot be read", err)
	}
	receipt.Repeated = status == http.StatusOK
	return receipt, nil
}

// PublishBatch publishes all of the events or none, in one request. By default a server accepts 1,000 events
// and 4 MiB; PublishEach has no such limit.
func (c *Client) PublishBatch(ctx context.Context, events []*Event) ([]Receipt, error) {
	bodies := make([][]byte, len(events))
	for index, event := range events {
		body, err := event.body()
		if err != nil {
			return nil, ofEvent(err, index)
		}
		bodies[index] = body
	}
	status, answer, err := c.send(ctx, call{http.MethodPost, "", array(bodies)})
	if err != nil {
		return nil, err
	}
	var receipts []Receipt
	if err := json.Unmarshal(answer, &receipts); err != nil {
		return nil, unexpected("the receipts cannot be read", err)
	}
	if len(receipts) != len(events) {
		return nil, unexpected(fmt.Sprintf("%d events have %d receipts", len(events), len(receipts)), nil)
	}
	for index := range receipts {
		receipts[index].Repeated = status == http.StatusOK
	}
	return receipts, nil
}

// Outcome is the result of one event of PublishEach: a receipt or an error.
type Outcome struct {
	Receipt *Receipt
	Err     error
}

// PublishEach publishes any number of events, each by itself, in as few requests as possible, and returns an
// outcome for each, in their order. An event that the server rejects does not affect the others.
func (c *Client) PublishEach(ctx context.Context, events []*Event) []Outcome {
	outcomes := make([]Outcome, len(events))
	var bodies [][]byte
	var places []int
	size := 0
	var down error
	flush := func() {
		if down == nil {
			down = c.publishPart(ctx, bodies, places, outcomes)
		} else {
			fail(outcomes, places, down)
		}
		bodies, places, size = nil, nil, 0
	}
	for index, event := range events {
		body, err := event.body()
		if err != nil {
			outcomes[index].Err = err
			continue
		}
		if len(bodies) == maxBatchEvents || size+len(body) > maxBatchBytes && len(bodies) > 0 {
			flush()
		}
		bodies, places, size = append(bodies, body), append(places, index), size+len(body)
	}
	flush()
	return outcomes
}

// publishPart publishes events in one request; if that is too large for the server, in two halves. It returns
// the error after which further requests are pointless, since the retries of this one have failed.
func (c *Client) publishPart(ctx context.Context, bodies [][]byte, places []int, outcomes []Outcome) error {
	if len(bodies) == 0 {
		return nil
	}
	_, answer, err := c.send(ctx, call{http.MethodPost, "?partial=true", array(bodies)})
	if err != nil {
		failure, _ := err.(*Failure)
		if failure != nil && failure.Code == "too_large" && len(bodies) > 1 {
			half := len(bodies) / 2
			if down := c.publishPart(ctx, bodies[:half], places[:half], outcomes); down != nil {
				fail(outcomes, places[half:], down)
				return down
			}
			return c.publishPart(ctx, bodies[half:], places[half:], outcomes)
		}
		fail(outcomes, places, err)
		if failure != nil && (failure.Temporary() || failure.Code == CodeCancelled) {
			return err
		}
		return nil
	}
	var read struct {
		Results []struct {
			Status   int
			Event    *Event
			Warnings []Repair
			Error    json.RawMessage
		}
	}
	if json.Unmarshal(answer, &read) != nil || len(read.Results) != len(bodies) {
		fail(outcomes, places, unexpected("the results cannot be read", nil))
		return nil
	}
	for index, result := range read.Results {
		outcome := &outcomes[places[index]]
		if result.Event == nil {
			outcome.Err = rejection(&http.Response{StatusCode: result.Status}, result.Error)
		} else {
			outcome.Receipt = &Receipt{*result.Event, result.Status == http.StatusOK, result.Warnings}
		}
	}
	return nil
}

func fail(outcomes []Outcome, places []int, err error) {
	for _, place := range places {
		outcomes[place].Err = err
	}
}

func array(bodies [][]byte) []byte {
	return append(append([]byte{'['}, bytes.Join(bodies, []byte{','})...), ']')
}

func ofEvent(err error, index int) error {
	if failure, ok := err.(*Failure); ok && len(failure.Details) > 0 {
		failure.Details[0] = fmt.Sprintf("event %d: %s", index, failure.Details[0])
	}
	return err
}

// Update replaces severity, description and metadata of a published event; NewUpdate builds it. It repeats
// the request after temporary failures: with a sequence, a repeat never undoes a later update.
func (c *Client) Update(ctx context.Context, update *Update) (*Receipt, error) {
	body, err := update.body()
	if err != nil {
		return nil, err
	}
	_, answer, err := c.send(ctx, call{http.MethodPut, "/" + update.ID.String(), body})
	if err != nil {
		return nil, err
	}
	receipt := &Receipt{}
	if err := json.Unmarshal(answer, receipt); err != nil {
		return nil, unexpected("the receipt cannot be read", err)
	}
	for _, warning := range receipt.Warnings {
		receipt.Repeated = receipt.Repeated || warning.Code == "outdated"
	}
	return receipt, nil
}

// Page is a page of the list.
type Page struct {
	Events     []Event `json:"events"`
	TotalCount int     `json:"totalCount"`
	Next       string  `json:"next"`
	// Cursor is where a stream continues after this list.
	Cursor   string `json:"cursor"`
	SystemID UUID   `json:"systemId"`
}

// List reads a page of the caller's events and the system's. docs/api.md lists the parameters, such as sort,
// order, pagesize, severity and next.
func (c *Client) List(ctx context.Context, parameters url.Values) (*Page, error) {
	_, answer, err := c.send(ctx, call{http.MethodGet, "?" + parameters.Encode(), nil})
	if err != nil {
		return nil, err
	}
	page := &Page{}
	if err := json.Unmarshal(answer, page); err != nil {
		return nil, unexpected("the page cannot be read", err)
	}
	return page, nil
}
