package mongo

import (
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

// record is one document of the collection, as far as it was read. What can't be read of it is told
// when it is asked for, so that an order can be put off whose tracks or lines are damaged.
type record struct {
	raw          bson.Raw
	id           order.ID
	revision     int64 // counts the writes of the document from 1
	sequence     int
	predecessors bool              // the document is as the FastAPI service wrote it
	adopted      *document.Adopted // what Store.order made of one of those
}

// The parts of a document that calls read.
//
//nolint:gochecknoglobals // queries
var (
	withoutEvents = bson.D{{Key: "events", Value: 0}}
	onlyTracks    = bson.D{{Key: "revision", Value: 1}, {Key: "sequence", Value: 1}, {Key: "tracks", Value: 1}, {Key: "form", Value: 1}}
	newestEvents  = bson.D{
		{Key: "revision", Value: 1},
		{Key: "sequence", Value: 1},
		{Key: "events", Value: bson.D{{Key: "$slice", Value: -delivery.MaxEvents}}},
	}
)

// read finds the head of a document.
func read(raw bson.Raw) (record, error) {
	r := record{raw: slices.Clone(raw)}
	id, ok := raw.Lookup("_id").ObjectIDOK()
	if !ok {
		return r, fmt.Errorf("mongo: a document of %s has no ObjectID: %s", Collection, raw.Lookup("_id"))
	}
	r.id = order.ID(id)
	r.revision, _ = raw.Lookup("revision").AsInt64OK()
	sequence, _ := raw.Lookup("sequence").AsInt64OK()
	r.sequence = int(sequence)
	if r.predecessors = document.IsPredecessors(raw); r.predecessors {
		r.sequence = 1 // that its order has been made
	}
	return r, nil
}

// order reads the order of a document that this service wrote.
func (r *record) order() (*order.Order, error) { return document.DecodeOrderBSON(r.id, r.raw) }

// tracks reads who is yet to be told: of what the FastAPI service did, nobody.
func (r *record) tracks() (delivery.Tracks, error) {
	if r.predecessors {
		return nil, nil
	}
	tracks, err := document.DecodeTracksBSON(r.raw.Lookup("tracks"))
	if err != nil {
		return nil, fmt.Errorf("order %s: %w", r.id, err)
	}
	return tracks, nil
}

// events reads the events that were asked for with the document.
func (r *record) events() ([]order.Event, error) {
	value := r.raw.Lookup("events")
	list, ok := value.ArrayOK()
	if !ok {
		return nil, fmt.Errorf("mongo: the events of order %s are %s, not a list", r.id, value.Type)
	}
	events, err := document.DecodeEventsBSON(list)
	if err != nil {
		return nil, fmt.Errorf("order %s: %w", r.id, err)
	}
	return events, nil
}

// filter finds the document as long as nobody else has written it. The FastAPI service changes the
// status and updated_at, and nothing else.
func (r *record) filter() bson.D {
	if r.predecessors {
		filter := bson.D{{Key: "_id", Value: bson.ObjectID(r.id)}, {Key: "form", Value: nil}, {Key: "revision", Value: nil}}
		for _, name := range []string{"status", "updated_at"} {
			filter = append(filter, bson.E{Key: name, Value: valueOf(r.raw, name)})
		}
		return filter
	}
	return bson.D{{Key: "_id", Value: bson.ObjectID(r.id)}, {Key: "revision", Value: r.revision}}
}

// valueOf is the value of a member; nil, which matches that it is not there, if it is not.
func valueOf(raw bson.Raw, name string) any {
	if v := raw.Lookup(name); !v.IsZero() {
		return v
	}
	return nil
}

// newDocument is the whole document of an order that is not there yet.
func newDocument(o *order.Order, tracks delivery.Tracks, events []order.Event) bson.Raw {
	d := beginDocument(o, tracks)
	d.Events("events", events)
	return d.Bytes()
}

// replacementOf is the whole document that takes the place of one of the FastAPI service.
func (r *record) replacementOf(o *order.Order, tracks delivery.Tracks) bson.Raw {
	d := beginDocument(o, tracks)
	d.Events("events", append([]order.Event{r.adopted.Created}, o.Events()...))
	d.Adopted(r.adopted)
	return d.Bytes()
}

func beginDocument(o *order.Order, tracks delivery.Tracks) *document.BSON {
	d := document.NewBSON()
	d.ID("_id", o.ID())
	d.Integer("revision", 1)
	putOrder(d, o)
	putTracks(d, tracks, o.Sequence())
	return d
}

// changeOf is the write of an order that was changed: all that can change, and the new events behind
// those that are there.
func (r *record) changeOf(o *order.Order, tracks delivery.Tracks) mongo.WriteModel {
	if r.predecessors {
		return mongo.NewReplaceOneModel().SetFilter(r.filter()).SetReplacement(r.replacementOf(o, tracks))
	}
	set := document.NewBSON()
	putOrder(set, o)
	unset := putTracks(set, tracks, o.Sequence())
	return r.update(set, unset, o.Events())
}

// tracksOf is the write of an order of which only the tracks have changed.
func (r *record) tracksOf(tracks delivery.Tracks) *mongo.UpdateOneModel {
	set := document.NewBSON()
	return r.update(set, putTracks(set, tracks, r.sequence), nil)
}

// update makes the next revision of the document. It sets the revision last: an engine that lets a read
// see half of an update then shows the old revision with what is new, and what is made of that comes to
// nothing.
func (r *record) update(set *document.BSON, unset bson.D, events []order.Event) *mongo.UpdateOneModel {
	var update bson.D
	if len(events) > 0 {
		list := document.NewBSON()
		list.Events("$each", events)
		update = append(update, bson.E{Key: "$push", Value: bson.D{{Key: "events", Value: list.Bytes()}}})
	}
	if len(unset) > 0 {
		update = append(update, bson.E{Key: "$unset", Value: unset})
	}
	set.Integer("revision", r.revision+1)
	update = append(update, bson.E{Key: "$set", Value: set.Bytes()})
	return mongo.NewUpdateOneModel().SetFilter(r.filter()).SetUpdate(update)
}

// putOrder adds the order, and the statuses that are derived from it, for lists.
func putOrder(d *document.BSON, o *order.Order) {
	d.Text("status", string(o.Status()))
	d.Text("payment_status", string(o.PaymentStatus()))
	d.Text("fulfillment_status", string(o.FulfillmentStatus()))
	d.Order(o.View())
}

// putTracks adds the tracks and what claims and lists of deliveries look for. It returns what is to be
// taken away instead.
func putTracks(d *document.BSON, tracks delivery.Tracks, sequence int) (unset bson.D) {
	due, waits := tracks.DueAt(sequence)
	if waits {
		// The zero date is before all others, and has no place in BSON.
		if due.IsZero() {
			due = time.UnixMilli(0)
		}
		d.Time("due_at", due)
	} else {
		unset = append(unset, bson.E{Key: "due_at", Value: ""})
	}
	parked := tracks.Parked()
	d.Flag("parked", parked)
	if !parked {
		unset = append(unset, bson.E{Key: "parked", Value: ""})
	}
	d.Tracks("tracks", tracks)
	return unset
}
