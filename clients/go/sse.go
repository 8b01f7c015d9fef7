package tidings

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxFrameBytes bounds the memory that a broken server can use: thirty times the largest event by default.
const maxFrameBytes = 4 << 20

var errFrameTooLarge = errors.New("a frame has more than 4 MiB")

// sseEvent is one dispatched event of the standard (WHATWG HTML §9.2.6).
type sseEvent struct {
	name, data, id string
}

// sseReader parses a stream of server-sent events.
type sseReader struct {
	input *bufio.Reader
	// retry is the last `retry:`, or negative.
	retry time.Duration
	id    string
	line  []byte
	// afterReturn means that a line feed belongs to the line before.
	afterReturn, started bool
}

func newSSEReader(input io.Reader) *sseReader {
	return &sseReader{input: bufio.NewReaderSize(input, 64<<10), retry: -1}
}

// next returns the next event with data.
func (r *sseReader) next() (sseEvent, error) {
	var name string
	var data []byte
	hasData := false
	for {
		if err := r.readLine(maxFrameBytes - len(name) - len(data)); err != nil {
			return sseEvent{}, err
		}
		if len(r.line) == 0 {
			if hasData {
				return sseEvent{name, string(data), r.id}, nil
			}
			name = ""
			continue
		}
		field, value, _ := strings.Cut(string(r.line), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			name = value
		case "data":
			if hasData {
				data = append(data, '\n')
			}
			data, hasData = append(data, value...), true
		case "id":
			if !strings.Contains(value, "\x00") {
				r.id = value
			}
		case "retry":
			if milliseconds, err := strconv.ParseUint(value, 10, 32); err == nil {
				r.retry = time.Duration(milliseconds) * time.Millisecond
			}
		}
	}
}

func (r *sseReader) readLine(most int) error {
	r.line = r.line[:0]
	for {
		letter, err := r.input.ReadByte()
		if err != nil {
			return err
		}
		if afterReturn := r.afterReturn; afterReturn {
			r.afterReturn = false
			if letter == '\n' {
				continue
			}
		}
		if letter == '\n' || letter == '\r' {
			r.afterReturn = letter == '\r'
			if !r.started {
				r.line = bytes.TrimPrefix(r.line, []byte("\xEF\xBB\xBF"))
				r.started = true
			}
			return nil
		}
		if len(r.line) >= most {
			return errFrameTooLarge
		}
		r.line = append(r.line, letter)
	}
}
