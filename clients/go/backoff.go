package tidings

import (
	"context"
	"encoding/binary"
	"math/rand"
	"sync"
	"time"
)

const (
	defaultBase = time.Second
	// maxPause keeps a user who has repaired a network from waiting for minutes.
	maxPause = 30 * time.Second
	// A server sets the base within this range: less would overload it, more would stop its readers.
	minServerBase, maxServerBase = 100 * time.Millisecond, 300 * time.Second
)

// random is seeded, unlike the functions of math/rand before Go 1.20: clients that lost a server together
// must not return together.
var (
	randomLock sync.Mutex
	random     = rand.New(rand.NewSource(seed()))
)

func seed() int64 {
	id := NewUUID()
	return int64(binary.BigEndian.Uint64(id[8:]))
}

// backoff computes random waits between zero and a limit that doubles with each failure.
type backoff struct {
	base     time.Duration
	failures int
}

func newBackoff() backoff { return backoff{base: defaultBase} }

func (b *backoff) setServerBase(base time.Duration) {
	b.base = base
	if base < minServerBase {
		b.base = minServerBase
	} else if base > maxServerBase {
		b.base = maxServerBase
	}
}

func (b *backoff) succeeded() { b.failures = 0 }

// failed counts a failure and returns the wait after it.
func (b *backoff) failed(failure *Failure) time.Duration {
	most := maxPause
	if b.base > most {
		most = b.base
	}
	limit := b.base
	for doubled := 0; doubled < b.failures && limit < most; doubled++ {
		limit *= 2
	}
	if limit > most {
		limit = most
	}
	b.failures++
	randomLock.Lock()
	defer randomLock.Unlock()
	return failure.RetryAfter + time.Duration(random.Float64()*float64(limit))
}

// pause waits, and returns false if the context ends first.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
