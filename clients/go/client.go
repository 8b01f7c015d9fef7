// Package tidings publishes events to a Tidings server, updates them in place and follows its live stream.
//
//	client, err := tidings.New(tidings.Config{Server: "http://127.0.0.1:9081"})
//	event := tidings.NewEvent().ActedUpon(resource).FromUser(user).
//		WithCategory("connection").WithAction("register").
//		WithSeverity(tidings.Success).WithDescription("Registered the cluster").Build()
//	receipt, err := client.Publish(ctx, event)
//
// Every error is a *Failure with a code and remedies.
package tidings

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	defaultRetryFor = time.Minute
	requestTimeout  = 30 * time.Second
	// The server closes an idle connection after 10 seconds.
	idleTimeout = 8 * time.Second
	// A page has at most 1,000 events of 128 KiB.
	maxBodyBytes = 160 << 20
	// largeBody is the size of a body that is announced first.
	largeBody = 1 << 20
	userAgent = "tidings-go/0.1"
)

// Config is the configuration of a client.
type Config struct {
	// Server is the server's address, such as https://tidings.example.org. A path is kept.
	Server string
	// Token returns the token. A server without authentication needs none.
	Token TokenSource
	// HTTP sends the requests, for example with certificates or a proxy of your own. By default the client
	// uses no proxy and trusts the certificate authorities of the system.
	HTTP *http.Client
	// RetryFor is how long a request is repeated after temporary failures [default: 1 minute]. The context
	// can end it earlier. A negative value turns retries off.
	RetryFor time.Duration
	// AllowPlainHTTP permits sending a token unencrypted to another machine.
	AllowPlainHTTP bool
}

// Client sends requests to one server. It can be used by several goroutines.
type Client struct {
	config Config
	events string
	http   *http.Client
	// silence is how long a stream can have no bytes.
	silence time.Duration
}

// New makes a client. It sends nothing.
func New(config Config) (*Client, error) {
	server, err := url.Parse(config.Server)
	switch {
	case err != nil:
		return nil, badConfig("the server's address cannot be read", "use an address such as http://127.0.0.1:9081", err)
	case server.Scheme != "http" && server.Scheme != "https" || server.Host == "":
		return nil, badConfig(
			fmt.Sprintf("the server's address is %q", config.Server),
			"use an http or https address such as http://127.0.0.1:9081", nil)
	case server.User != nil || server.RawQuery != "" || server.Fragment != "":
		return nil, badConfig(
			"the server's address has a user, a query or a fragment", "use only scheme, host, port and path", nil)
	case config.Token != nil && server.Scheme == "http" && !config.AllowPlainHTTP && !isLoopback(server.Hostname()):
		return nil, badConfig(
			fmt.Sprintf("the token would be sent to %s unencrypted", server.Host), "use an https address", nil)
	}
	if config.RetryFor == 0 {
		config.RetryFor = defaultRetryFor
	}
	var sender http.Client
	if config.HTTP != nil {
		sender = *config.HTTP
	} else {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		// A proxy from the environment would also receive requests to the loopback address.
		transport.Proxy = nil
		transport.IdleConnTimeout = idleTimeout
		transport.MaxIdleConnsPerHost = 8
		sender.Transport = transport
	}
	// The context of each request has its time limit; a stream has none.
	sender.Timeout = 0
	// A redirect must not send a token to another server.
	sender.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	events := strings.TrimRight(config.Server, "/") + "/api/system/events"
	return &Client{config, events, &sender, silenceLimit}, nil
}

func badConfig(fault, remedy string, err error) *Failure {
	return &Failure{
		Code: CodeInvalidConfig, Message: "the client cannot be made", Details: []string{fault},
		Remedies: []string{remedy}, Err: err,
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// call is one request. Every call can be repeated: publishes have ids, and all others set a state.
type call struct {
	method, path string
	body         []byte
}

// send sends a call until it succeeds, fails for good, or the time for retries is over. It returns the status
// and the body of a success.
func (c *Client) send(ctx context.Context, call call) (int, []byte, error) {
	wait, started := newBackoff(), time.Now()
	for {
		status, body, failure := c.attempt(ctx, call)
		if failure == nil {
			return status, body, nil
		}
		if ctx.Err() != nil {
			return 0, nil, cancelled(ctx, failure)
		}
		delay, left := wait.failed(failure), c.config.RetryFor-time.Since(started)
		if !failure.Temporary() || left <= failure.RetryAfter {
			return 0, nil, failure
		}
		// The last attempt is at the end of the time, not before it.
		if delay > left {
			delay = left
		}
		if !pause(ctx, delay) {
			return 0, nil, cancelled(ctx, failure)
		}
	}
}

func (c *Client) attempt(ctx context.Context, call call) (int, []byte, *Failure) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, _, failure := c.request(ctx, call)
	if failure != nil {
		return 0, nil, failure
	}
	if call.body != nil {
		request.Header.Set("Content-Type", "application/json")
		if len(call.body) > largeBody {
			// The server rejects a body that is too large before it is sent. Otherwise it closes the connection
			// in the middle, and the response with the limit can be lost.
			request.Header.Set("Expect", "100-continue")
		}
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, c.unreachable(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBodyBytes+1))
	switch {
	case response.StatusCode >= 300:
		return 0, nil, rejection(response, body)
	case err != nil:
		return 0, nil, c.unreachable(err)
	case len(body) > maxBodyBytes:
		return 0, nil, unexpected(fmt.Sprintf("the body has more than %d bytes", maxBodyBytes), nil)
	}
	return response.StatusCode, body, nil
}

// request makes a request, and returns the token in it.
func (c *Client) request(ctx context.Context, call call) (*http.Request, string, *Failure) {
	token, failure := c.token(ctx)
	if failure != nil {
		return nil, "", failure
	}
	request, err := http.NewRequestWithContext(ctx, call.method, c.events+call.path, bytes.NewReader(call.body))
	if err != nil {
		return nil, "", unexpected("the request cannot be made", err)
	}
	request.Header.Set("User-Agent", userAgent)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request, token, nil
}

func (c *Client) unreachable(err error) *Failure {
	var address *url.Error
	if errors.As(err, &address) {
		// The message has the address already, and the query can contain texts of users.
		err = address.Err
	}
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var certificate x509.CertificateInvalidError
	if errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &certificate) {
		return &Failure{
			Code: CodeUntrusted, Message: "the certificate of " + c.config.Server + " is not trusted", Err: err,
			Remedies: []string{"if a private authority issued it, pass an HTTP client that trusts it"}, isLocal: true,
		}
	}
	return &Failure{
		Code: CodeUnreachable, Message: "no connection to " + c.config.Server, Err: err,
		Remedies: []string{"check that the server runs and that its address is right"}, isTemporary: true,
	}
}

func unexpected(fault string, err error) *Failure {
	return &Failure{
		Code: CodeUnexpected, Message: "the response is not one of Tidings", Details: []string{fault}, Err: err,
		Remedies: []string{"check the server's address and the proxies before it"},
	}
}
