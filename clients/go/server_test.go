package tidings_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	tidings "tidings.example.org/go"
)

// stuck is far longer than any step takes.
const stuck = time.Minute

var (
	localUser = mustParse("6c6f6361-6c00-4000-8000-000000000001")
	resource  = mustParse("7b1d2c3e-0000-4000-8000-000000000001")
)

func mustParse(text string) tidings.UUID {
	id, err := tidings.ParseUUID(text)
	if err != nil {
		panic(err)
	}
	return id
}

func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("TIDINGS_BINARY")
	if path == "" {
		path = "../../target/debug/tidings"
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// server is a `tidings serve` process that can be restarted with the same address and data.
type server struct {
	t         *testing.T
	directory string
	address   string
	flags     []string
	process   *exec.Cmd
}

func startServer(t *testing.T, flags ...string) *server {
	t.Helper()
	address := freeAddress()
	s := &server{t: t, directory: t.TempDir(), address: address, flags: flags}
	s.start()
	t.Cleanup(s.kill)
	return s
}

// freeAddress is below the kernel's ephemeral ports: a client that connects to an ephemeral port while no server
// listens can be assigned the same port, and connect to itself.
func freeAddress() string {
	for {
		id := tidings.NewUUID()
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+(int(id[14])<<8|int(id[15]))%10_000)
		if listener, err := net.Listen("tcp", address); err == nil {
			listener.Close()
			return address
		}
	}
}

func (s *server) origin() string { return "http://" + s.address }

func (s *server) start() {
	s.t.Helper()
	arguments := []string{"serve", "--listen", s.address, "--data-dir", filepath.Join(s.directory, "data")}
	s.process = exec.Command(binary(s.t), append(arguments, s.flags...)...)
	s.process.Env = append(os.Environ(), "TIDINGS_LOG=error")
	s.process.Stderr = os.Stderr
	output, err := s.process.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		s.t.Fatalf("the server does not start; build it with `cargo build -p tidings-cli`: %v", err)
	}
	lines := bufio.NewReader(output)
	line, err := lines.ReadString('\n')
	if err != nil || line != "listening on "+s.origin()+"\n" {
		s.t.Fatalf("unexpected first line %q: %v", line, err)
	}
	go io.Copy(io.Discard, lines)
}

func (s *server) kill() { s.end(syscall.SIGKILL) }

func (s *server) terminate() { s.end(syscall.SIGTERM) }

func (s *server) end(signal syscall.Signal) {
	if s.process != nil {
		s.process.Process.Signal(signal)
		s.process.Wait()
		s.process = nil
	}
}

// client returns a client of this server, or of a proxy before it.
func (s *server) client(address string, token tidings.TokenSource) *tidings.Client {
	s.t.Helper()
	client, err := tidings.New(tidings.Config{Server: address, Token: token})
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

// send sends a request that the package has no call for.
func (s *server) send(method, path, body string) {
	s.t.Helper()
	request, err := http.NewRequest(method, s.origin()+"/api/system/events"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode >= 300 {
		s.t.Fatalf("%s %s has status %d", method, path, response.StatusCode)
	}
}

// proxy forwards requests to the server unless fault handles them; it is given the number of the request.
func (s *server) proxy(fault func(number int64, w http.ResponseWriter, forward func()) bool) (string, *atomic.Int64) {
	target, err := url.Parse(s.origin())
	if err != nil {
		s.t.Fatal(err)
	}
	forwarder := httputil.NewSingleHostReverseProxy(target)
	requests := &atomic.Int64{}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = target.Host
		forward := func() { forwarder.ServeHTTP(httptest.NewRecorder(), r) }
		if !fault(requests.Add(1), w, forward) {
			forwarder.ServeHTTP(w, r)
		}
	}))
	s.t.Cleanup(proxy.Close)
	return proxy.URL, requests
}

// login starts a server with tokens. The function makes one that the server accepts for a time, which is 30
// seconds longer than it is valid.
func login(t *testing.T) (*server, func(lifetime time.Duration, scopes ...string) string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	run(t, binary(t), "token", "--new-secret", path)
	secret, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "--auth", "jwt", "--jwt-secret-file", path)
	return s, func(lifetime time.Duration, scopes ...string) string {
		claims := fmt.Sprintf(`{"sub":"%s","exp":%d,"scope":"%s"}`,
			localUser, time.Now().Add(lifetime-30*time.Second).Unix(), strings.Join(scopes, " "))
		encode := base64.RawURLEncoding.EncodeToString
		signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
		signature := hmac.New(sha256.New, bytes.TrimSuffix(secret, []byte("\n")))
		signature.Write([]byte(signed))
		return signed + "." + encode(signature.Sum(nil))
	}
}

func run(t *testing.T, program string, arguments ...string) string {
	t.Helper()
	var errors bytes.Buffer
	command := exec.Command(program, arguments...)
	command.Stderr = &errors
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, arguments, err, errors.String())
	}
	return string(output)
}

func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), stuck)
	t.Cleanup(cancel)
	return ctx
}

func started() *tidings.EventBuilder {
	return tidings.NewEvent().ActedUpon(resource).FromUser(localUser).
		WithCategory("connection").WithAction("ping").WithSeverity(tidings.Success)
}

func numbered(from, to int) []*tidings.Event {
	var events []*tidings.Event
	for number := from; number < to; number++ {
		events = append(events, started().WithDescription(fmt.Sprint(number)).Build())
	}
	return events
}

// until reads frames up to the first one of a kind.
func until(t *testing.T, stream *tidings.Stream, kind tidings.FrameKind) (tidings.Frame, []tidings.Frame) {
	t.Helper()
	var before []tidings.Frame
	for {
		frame, err := stream.Next()
		if err != nil {
			t.Fatalf("no %s after %v: %v", kind, kinds(before), err)
		}
		if frame.Kind == kind {
			return frame, before
		}
		before = append(before, frame)
	}
}

func kinds(frames []tidings.Frame) (kinds []tidings.FrameKind) {
	for _, frame := range frames {
		kinds = append(kinds, frame.Kind)
	}
	return kinds
}

func failure(t *testing.T, err error) *tidings.Failure {
	t.Helper()
	failure, ok := err.(*tidings.Failure)
	if !ok {
		t.Fatalf("%v (%T) is not a failure", err, err)
	}
	return failure
}
