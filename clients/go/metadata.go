package tidings

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Cause is the cause of a failure and its remedies: the "error" in the metadata of an event.
type Cause struct {
	Code                 string   `json:"Code"`
	Severity             int      `json:"Severity,omitempty"`
	ShortDescription     []string `json:"ShortDescription,omitempty"`
	LongDescription      []string `json:"LongDescription,omitempty"`
	ProbableCause        []string `json:"ProbableCause,omitempty"`
	SuggestedRemediation []string `json:"SuggestedRemediation,omitempty"`
}

// maxDepth is the number of levels in which errors are looked for. The server stores 32 levels.
const maxDepth = 32

// storable returns a copy of the metadata in which every value can be written as JSON, because an event that
// reports a failure must not be lost for a value in it.
func storable(metadata map[string]interface{}, depth int) map[string]interface{} {
	if metadata == nil {
		return nil
	}
	copied := make(map[string]interface{}, len(metadata))
	for key, value := range metadata {
		copied[key] = storableValue(value, depth)
	}
	return copied
}

func storableValue(value interface{}, depth int) (stored interface{}) {
	defer func() {
		// A method of the value has failed, such as Error of a nil pointer.
		if fault := recover(); fault != nil {
			stored = fmt.Sprintf("the value cannot be read: %v", fault)
		}
	}()
	switch value := value.(type) {
	case nil, bool, string, int, int64:
		return value
	case error:
		return causeOf(value)
	case []error:
		causes := make([]interface{}, 0, len(value))
		for _, err := range value {
			causes = append(causes, storableValue(err, depth))
		}
		return causes
	case map[string]interface{}:
		if depth < maxDepth {
			return storable(value, depth+1)
		}
	case []interface{}:
		if depth < maxDepth {
			copied := make([]interface{}, 0, len(value))
			for _, item := range value {
				copied = append(copied, storableValue(item, depth+1))
			}
			return copied
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "the value cannot be written as JSON: " + err.Error()
	}
	return json.RawMessage(text)
}

// causeOf returns the JSON of an error that has the fields of a cause, as those of MeshKit do. Most errors
// are written as {} or without their text; of these it returns the text and the chain of wrapped errors.
func causeOf(err error) interface{} {
	var fields map[string]json.RawMessage
	if text, fault := json.Marshal(err); fault == nil && json.Unmarshal(text, &fields) == nil {
		if _, isCause := fields["ShortDescription"]; isCause {
			return json.RawMessage(text)
		}
	}
	cause := Cause{ShortDescription: []string{err.Error()}}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		cause.LongDescription = append(cause.LongDescription, inner.Error())
	}
	var failure *Failure
	if errors.As(err, &failure) {
		cause.Code, cause.SuggestedRemediation = failure.Code, failure.Remedies
	}
	return cause
}
