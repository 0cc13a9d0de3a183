package document

import (
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/domain/order"
)

// The types of members that BSON has a type of its own for. In JSON they are what they are in Go.
type (
	instant  int64  // milliseconds since 1970 in UTC; a date in BSON
	identity string // hexadecimal digits; an ObjectID in BSON
	metadata map[string]string
	patch    map[string]*string
)

func (i instant) time() time.Time { return time.UnixMilli(int64(i)).UTC() }

func (i identity) parse() (order.ID, error) { return order.ParseID(string(i)) }

// UnmarshalBSONValue implements bson.ValueUnmarshaler.
func (i *instant) UnmarshalBSONValue(typ byte, data []byte) error {
	ms, ok := bson.RawValue{Type: bson.Type(typ), Value: data}.DateTimeOK()
	if !ok {
		return fmt.Errorf("a date is wanted, not %s", bson.Type(typ))
	}
	*i = instant(ms)
	return nil
}

// UnmarshalBSONValue implements bson.ValueUnmarshaler.
func (i *identity) UnmarshalBSONValue(typ byte, data []byte) error {
	id, ok := bson.RawValue{Type: bson.Type(typ), Value: data}.ObjectIDOK()
	if !ok {
		return fmt.Errorf("an ObjectID is wanted, not %s", bson.Type(typ))
	}
	*i = identity(id.Hex())
	return nil
}

// UnmarshalBSONValue implements bson.ValueUnmarshaler.
func (m *metadata) UnmarshalBSONValue(typ byte, data []byte) error {
	var p patch
	if err := p.UnmarshalBSONValue(typ, data); err != nil {
		return err
	}
	*m = make(metadata, len(p))
	for k, v := range p {
		if v == nil {
			return fmt.Errorf("the value of %q is not text", k)
		}
		(*m)[k] = *v
	}
	return nil
}

// UnmarshalBSONValue implements bson.ValueUnmarshaler.
func (p *patch) UnmarshalBSONValue(typ byte, data []byte) error {
	list, ok := bson.RawValue{Type: bson.Type(typ), Value: data}.ArrayOK()
	if !ok {
		return fmt.Errorf("a list of {k, v} is wanted, not %s", bson.Type(typ))
	}
	entries, err := list.Values()
	if err != nil {
		return err
	}
	*p = make(patch, len(entries))
	for _, entry := range entries {
		pair, _ := entry.DocumentOK()
		k, ok := pair.Lookup("k").StringValueOK()
		if !ok {
			return fmt.Errorf("an entry has no k: %s", entry)
		}
		(*p)[k] = nil
		if v, ok := pair.Lookup("v").StringValueOK(); ok {
			(*p)[k] = &v
		}
	}
	return nil
}
