package order

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"order-processing-service/internal/domain/fault"
)

// Limits on what a caller may send. Lengths are in characters (Unicode code points).
const (
	MaxCustomerID    = 128
	MaxReference     = 128
	MaxSKU           = 64
	MaxName          = 255
	MaxLines         = 1_000
	MaxQuantity      = 1_000_000
	MaxMetadata      = 50
	MaxMetadataKey   = 40
	MaxMetadataValue = 500
	MaxEvents        = 10_000
	MaxEventBytes    = 8 << 20 // of what the events of one order say, about: see Event.size
	MaxRequests      = 100     // idempotency keys remembered per order
)

// fieldFaults collects every field at fault, up to a bound.
type fieldFaults struct{ fields []fault.Field }

func (f *fieldFaults) add(location, message string) {
	if len(f.fields) < fault.MaxFields {
		f.fields = append(f.fields, fault.Field{Location: location, Message: message})
	}
}

// text checks a text between least and most characters long.
func (f *fieldFaults) text(location, value string, least, most int) {
	if message := textFault(value, least, most); message != "" {
		f.add(location, message)
	}
}

// err returns nil, or one fault that names every field.
func (f *fieldFaults) err() error {
	if len(f.fields) == 0 {
		return nil
	}
	return fault.OfFields(f.fields)
}

// textFault says what is wrong with a text, or "". Text is kept as sent: it is never trimmed or
// normalised.
func textFault(s string, least, most int) string {
	if len(s) < least {
		if least == 1 {
			return fmt.Sprintf("is required: 1 to %d characters", most)
		}
		return fmt.Sprintf("must have %d to %d characters", least, most)
	}
	// A text of plain ASCII needs one pass and no decoding.
	ascii := true
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			ascii = false
			break
		}
		if c < 0x20 || c == 0x7f {
			return "must not contain control characters"
		}
	}
	if ascii {
		if len(s) > most {
			return fmt.Sprintf("must have at most %d characters", most)
		}
		return ""
	}
	if !utf8.ValidString(s) {
		return "must be valid UTF-8"
	}
	length := 0
	for _, r := range s {
		if unicode.IsControl(r) {
			return "must not contain control characters"
		}
		length++
	}
	if length > most {
		return fmt.Sprintf("must have at most %d characters", most)
	}
	return ""
}
