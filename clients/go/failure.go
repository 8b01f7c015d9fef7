package tidings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Codes of failures that the client itself reports. All other codes are those of the server, which
// docs/api.md lists.
const (
	// CodeInvalidEvent means that nothing was sent, since the event has no id or no owner.
	CodeInvalidEvent = "invalid_event"
	// CodeInvalidConfig means that the client cannot be made.
	CodeInvalidConfig = "invalid_config"
	// CodeUnreachable means that the connection failed or was lost.
	CodeUnreachable = "unreachable"
	// CodeUntrusted means that the server's certificate is not trusted.
	CodeUntrusted = "untrusted_certificate"
	// CodeNoToken means that the source of tokens has none.
	CodeNoToken = "token_unavailable"
	// CodeUnexpected means that the response is not one of Tidings.
	CodeUnexpected = "unexpected_response"
	// CodeStreamEnded means that the server closed the stream.
	CodeStreamEnded = "stream_ended"
	// CodeStreamSilent means that a stream had no bytes for 45 seconds.
	CodeStreamSilent = "stream_silent"
	// CodeCancelled means that the context ended.
	CodeCancelled = "cancelled"
)

// maxRetryAfter bounds the time that a server can ask a client to wait.
const maxRetryAfter = time.Minute

// Failure is the error of every request and stream: what failed, and what to do.
type Failure struct {
	// Status is the HTTP status, or 0 if there is no response.
	Status int
	// Code is a stable word for programs.
	Code string
	// Message is one sentence for people.
	Message string
	// Details has one text for each fault, and Remedies what to do, in the same order.
	Details, Remedies []string
	// RetryAfter is the time that the server asks to wait, at most one minute.
	RetryAfter time.Duration
	// Err is the underlying error, if any.
	Err error

	// isTemporary applies if there is no status.
	isTemporary bool
	// isFrame means that a frame of the stream cannot be read.
	isFrame bool
	// isLocal means that the operator of this machine can fix the cause while a stream waits.
	isLocal bool
}

func (f *Failure) Error() string {
	text := f.Message
	if f.Status != 0 {
		text = fmt.Sprintf("rejected with status %d (%s): %s", f.Status, f.Code, f.Message)
	}
	if len(f.Details) > 0 {
		text += ": " + strings.Join(f.Details, "; ")
	}
	if f.Err != nil {
		text += ": " + f.Err.Error()
	}
	if len(f.Remedies) > 0 {
		text += ": " + strings.Join(f.Remedies, "; ")
	}
	return text
}

// Unwrap returns the underlying error.
func (f *Failure) Unwrap() error { return f.Err }

// Temporary reports whether the same request can succeed later.
func (f *Failure) Temporary() bool {
	if f.Status == 0 {
		return f.isTemporary
	}
	return f.Status >= 500 || f.Status == http.StatusRequestTimeout || f.Status == http.StatusTooManyRequests
}

func (f *Failure) needsAnotherToken() bool {
	return f.Code == "token_missing" || f.Code == "token_expired" || f.Code == "token_revoked"
}

func invalid(fault, remedy string) *Failure {
	return &Failure{
		Code: CodeInvalidEvent, Message: "the event is invalid; nothing was sent",
		Details: []string{fault}, Remedies: []string{remedy},
	}
}

// cancelled is the error after the caller's context has ended; last is that of the last attempt, if any.
func cancelled(ctx context.Context, last *Failure) *Failure {
	failure := &Failure{Code: CodeCancelled, Message: "the context ended before the request", Err: ctx.Err()}
	if last != nil {
		failure.Details = []string{last.Error()}
	}
	return failure
}

// rejection reads the body of an error response.
func rejection(response *http.Response, body []byte) *Failure {
	var read struct {
		Error                string
		Code                 string
		LongDescription      []string
		SuggestedRemediation []string
	}
	failure := &Failure{Status: response.StatusCode}
	if json.Unmarshal(body, &read) != nil || read.Code == "" {
		failure.Code, failure.Message = CodeUnexpected, "the response is not one of Tidings"
		failure.Remedies = []string{"check the server's address and the proxies before it"}
	} else {
		failure.Code, failure.Message = read.Code, read.Error
		failure.Details, failure.Remedies = read.LongDescription, read.SuggestedRemediation
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		failure.RetryAfter = retryAfter(response.Header.Get("Retry-After"))
	}
	return failure
}

// retryAfter reads whole seconds. A date is ignored, since it needs synchronized clocks.
func retryAfter(text string) time.Duration {
	seconds, err := strconv.ParseUint(text, 10, 16)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0
	case err != nil || time.Duration(seconds)*time.Second > maxRetryAfter:
		return maxRetryAfter
	}
	return time.Duration(seconds) * time.Second
}
