package tidings

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// maxTokenBytes is more than any server accepts in a header.
const maxTokenBytes = 16 * 1024

// TokenSource returns the current token. The client calls it for each request and each connection of a
// stream, so that a new token needs no restart.
type TokenSource func(ctx context.Context) (string, error)

// Token always returns the same token.
func Token(token string) TokenSource {
	return func(context.Context) (string, error) { return token, nil }
}

// TokenFile returns the content of a file, which is read each time. To replace the token, rename a new file
// over the old one.
func TokenFile(path string) TokenSource {
	return func(context.Context) (string, error) {
		// Opening a FIFO would wait for its writer.
		if info, err := os.Stat(path); err != nil {
			return "", err
		} else if !info.Mode().IsRegular() {
			return "", fmt.Errorf("%s is not a regular file", path)
		}
		file, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer file.Close()
		text, err := io.ReadAll(io.LimitReader(file, 2*maxTokenBytes))
		return string(text), err
	}
}

// bearer is RFC 6750 §2.1.
var bearer = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// token returns the current token; empty if the client has no source.
func (c *Client) token(ctx context.Context) (string, *Failure) {
	if c.config.Token == nil {
		return "", nil
	}
	text, err := c.config.Token(ctx)
	text = strings.TrimSpace(text)
	switch {
	case err != nil:
		return "", noToken("the source of tokens failed", "make the token readable for this program", err)
	case text == "":
		return "", noToken("the token is empty", "write the token into its source", nil)
	case len(text) > maxTokenBytes:
		return "", noToken(
			fmt.Sprintf("the token is longer than %d bytes", maxTokenBytes), "check the source of tokens", nil)
	case !bearer.MatchString(text):
		return "", noToken(
			"the token has characters that a bearer token cannot have",
			"pass only the token, made of letters, digits and -._~+/ with = at the end", nil)
	}
	return text, nil
}

func noToken(fault, remedy string, err error) *Failure {
	return &Failure{
		Code: CodeNoToken, Message: "there is no token; nothing was sent", Details: []string{fault},
		Remedies: []string{remedy}, Err: err, isLocal: true,
	}
}
