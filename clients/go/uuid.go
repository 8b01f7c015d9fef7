package tidings

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// UUID identifies an event, a user, a system or a resource. The UUID types of github.com/gofrs/uuid and
// github.com/google/uuid can be passed wherever this package takes a [16]byte.
type UUID [16]byte

// NewUUID returns a new UUID of version 7, which begins with the time in milliseconds.
func NewUUID() UUID {
	var id UUID
	if _, err := rand.Read(id[6:]); err != nil {
		panic("tidings: the system has no random numbers: " + err.Error())
	}
	var milliseconds [8]byte
	binary.BigEndian.PutUint64(milliseconds[:], uint64(time.Now().UnixMilli()))
	copy(id[:6], milliseconds[2:])
	return id.stamped(7)
}

// NamedUUID returns the UUID of version 5 of a name, so that a resource without a UUID has the same one in
// all its events.
func NamedUUID(namespace [16]byte, name string) UUID {
	sum := sha1.Sum(append(namespace[:], name...))
	var id UUID
	copy(id[:], sum[:])
	return id.stamped(5)
}

func (u UUID) stamped(version byte) UUID {
	u[6] = u[6]&0x0f | version<<4
	u[8] = u[8]&0x3f | 0x80
	return u
}

// ParseUUID reads a UUID in its usual form, with or without hyphens.
func ParseUUID(text string) (UUID, error) {
	var id UUID
	digits, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(digits) != len(id) {
		return id, fmt.Errorf("%q is not a UUID: write it like 7b1d2c3e-0000-4000-8000-000000000001", text)
	}
	copy(id[:], digits)
	return id, nil
}

// IsNil reports whether the UUID is zero, which means "none".
func (u UUID) IsNil() bool { return u == UUID{} }

func (u UUID) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// MarshalText writes the UUID in its usual form.
func (u UUID) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads the UUID; an empty text is the nil UUID.
func (u *UUID) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*u = UUID{}
		return nil
	}
	*u, err = ParseUUID(string(text))
	return err
}
