package mongo

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

const (
	// migrateBatch and maxMigrateBytes bound how much of a migration is in memory and in one write.
	migrateBatch    = 500
	maxMigrateBytes = 8 << 20
	// maxMigrateTries bounds how often a batch is written again of which not all was.
	maxMigrateTries = 20
	// migratePatience is how many times the bound of a call a batch may take.
	migratePatience = 6
)

// MigrateOptions says how to migrate.
type MigrateOptions struct {
	// DryRun looks at every document and writes none.
	DryRun bool
	// Found, which must not be nil, is told of each document that there is something to say of. An error
	// of it ends the migration.
	Found func(Finding) error
	// Progress, which must not be nil either, is told again and again how far it is.
	Progress func(Progress)
}

// Progress is how far a migration is.
type Progress struct {
	Done    int64 // documents that were looked at
	Total   int64 // about how many there are
	Trouble error // why nothing moves right now and is tried again, or nil
}

// Finding is what there is to say of one document of the FastAPI service.
type Finding struct {
	ID      string // the order's id, or what the document has in its place
	Reason  string // why the document can't be converted; "" if it can
	Rounded []document.Rounded
}

// Migration is what has become of the documents that were looked at.
type Migration struct {
	Migrated    int64 // or, in a dry run, can be
	There       int64 // were in the form of this service already
	Rounded     int64 // prices
	Unconverted int64 // were left as they are
}

// Migrate rewrites every document of the FastAPI service in the form of this one. It may be stopped and
// run again, and others may write meanwhile: a document that somebody changes between reading and
// writing is read again. What was done before an error is told beside it.
func (s *Store) Migrate(ctx context.Context, o MigrateOptions) (Migration, error) {
	if err := s.enter(); err != nil {
		return Migration{}, err
	}
	defer s.calls.Done()
	m := migration{Store: s, MigrateOptions: o}
	err := m.run(ctx)
	return m.Migration, translate(ctx, "migrate", err)
}

// migration is one run of Migrate.
type migration struct {
	*Store
	MigrateOptions
	Migration

	at   Progress
	ids  []order.ID // the next batch
	made int64      // writes of pending orders that were made; of which ones, reading them again will show
}

// run looks at what each document is, and has those of the FastAPI service read and rewritten in batches.
func (m *migration) run(ctx context.Context) error {
	var err error
	if m.at.Total, err = m.count(ctx); err != nil {
		return err
	}
	find := options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetBatchSize(migrateBatch).
		SetProjection(bson.D{{Key: "form", Value: 1}, {Key: "revision", Value: 1}})
	err = m.each(ctx, bson.D{}, find, func(raw bson.Raw) (bool, error) {
		if err := m.look(raw); err != nil {
			return false, err
		}
		m.at.Done++
		if len(m.ids) == migrateBatch {
			if err := m.batch(ctx); err != nil {
				return false, err
			}
		}
		if m.at.Done%migrateBatch == 0 {
			m.show(nil)
		}
		return true, ctx.Err()
	})
	if err == nil {
		err = m.batch(ctx)
	}
	m.show(nil)
	return err
}

func (m *migration) show(trouble error) {
	m.at.Total, m.at.Trouble = max(m.at.Total, m.at.Done), trouble
	m.Progress(m.at)
}

// look sorts one document into what there is to do.
func (m *migration) look(raw bson.Raw) error {
	r, err := read(raw)
	switch {
	case err != nil:
		m.Unconverted++
		id := raw.Lookup("_id")
		return m.Found(Finding{ID: id.String(), Reason: fmt.Sprintf("_id is of type %s, not an ObjectID", id.Type)})
	case r.predecessors:
		m.ids = append(m.ids, r.id)
	default:
		m.There++
	}
	return nil
}

// pending is the orders of a batch of which it is not known yet what became of them.
type pending map[order.ID]*fate

// fate is what is known of one.
type fate struct {
	told bool // what there is to say
	sent bool // a write, of which it was answered how many of its part were made
	lost bool // the answer to a write
	seen bool // in this try
}

// batch migrates the orders that were found. One that has begun is finished also when ctx ends meanwhile,
// so that what was done is known, unless the server stays away.
func (m *migration) batch(ctx context.Context) error {
	todo := make(pending, len(m.ids))
	for _, id := range m.ids {
		todo[id] = new(fate)
	}
	m.ids = m.ids[:0]
	last := false // try, as ctx has ended
	for try := 0; len(todo) > 0; try++ {
		if try == maxMigrateTries {
			return errContended
		}
		if try > 0 {
			if err := wait(context.WithoutCancel(ctx), backoff(try)); err != nil {
				return err
			}
		}
		err := m.once(context.WithoutCancel(ctx), todo)
		switch {
		case err == nil:
		case !isAway(err), try == maxMigrateTries-1:
			return err
		case last:
			return ctx.Err()
		default:
			last = ctx.Err() != nil
			m.show(translate(ctx, "migrate", err))
		}
	}
	return nil
}

// once reads what is pending, part by part, and writes what can be converted. What somebody changed in
// between, or may have been written, is left pending.
func (m *migration) once(ctx context.Context, todo pending) error {
	ctx, cancel := context.WithTimeout(ctx, migratePatience*m.timeout)
	defer cancel()
	in := make(bson.A, 0, len(todo))
	for id, state := range todo {
		in, state.seen = append(in, bson.ObjectID(id)), false
	}
	var part []mongo.WriteModel
	var ids []order.ID
	size := 0
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: in}}}}
	err := m.each(ctx, filter, options.Find().SetBatchSize(migrateBatch), func(raw bson.Raw) (bool, error) {
		r, err := read(raw)
		if err != nil {
			return false, err
		}
		replacement, err := m.convert(&r, todo)
		if err != nil || replacement == nil {
			return err == nil, err
		}
		part, ids = append(part, replacement), append(ids, r.id)
		if size += len(raw); size < maxMigrateBytes {
			return true, nil
		}
		err = m.write(ctx, part, ids, todo)
		part, ids, size = nil, nil, 0
		return true, err
	})
	if err != nil {
		return err
	}
	for id, state := range todo {
		if !state.seen { // it was deleted
			delete(todo, id)
		}
	}
	return m.write(ctx, part, ids, todo)
}

// convert works out what a document is to be replaced with; nil if it is not to be.
func (m *migration) convert(r *record, todo pending) (mongo.WriteModel, error) {
	state := todo[r.id]
	state.seen = true
	if !r.predecessors {
		delete(todo, r.id)
		switch {
		case state.lost:
			m.Migrated++
		case state.sent && m.made > 0:
			m.made--
			m.Migrated++
		default:
			m.There++
		}
		return nil, nil //nolint:nilnil // nothing to write
	}
	adopted, err := document.Adopt(r.id, r.raw, m.currency)
	if err != nil {
		return nil, m.refuse(r.id, err, todo)
	}
	if r.adopted = adopted; len(adopted.Rounded) > 0 && !state.told {
		state.told = true
		m.Rounded += int64(len(adopted.Rounded))
		if err := m.Found(Finding{ID: r.id.String(), Rounded: adopted.Rounded}); err != nil {
			return nil, err
		}
	}
	if m.DryRun {
		m.Migrated++
		delete(todo, r.id)
		return nil, nil //nolint:nilnil // nothing to write
	}
	return r.changeOf(adopted.Order, nil), nil
}

// refuse leaves a document as it is.
func (m *migration) refuse(id order.ID, cause error, todo pending) error {
	m.Unconverted++
	delete(todo, id)
	return m.Found(Finding{ID: id.String(), Reason: cause.Error()})
}

// write replaces documents, each provided that nobody has changed it. If all were replaced they are done;
// else which ones were is found out by reading them again.
func (m *migration) write(ctx context.Context, part []mongo.WriteModel, ids []order.ID, todo pending) error {
	if len(part) == 0 {
		return nil
	}
	bounded, cancel := m.attempt(ctx)
	defer cancel()
	result, err := m.bulkWrite(bounded, part)
	if err == nil && result.MatchedCount == int64(len(part)) {
		m.Migrated += int64(len(part))
		for _, id := range ids {
			delete(todo, id)
		}
		return nil
	}
	bulk, ok := errors.AsType[mongo.BulkWriteException](err)
	if result == nil || err != nil && (!ok || bulk.WriteConcernError != nil) {
		for _, id := range ids {
			todo[id].lost = true
		}
		return err
	}
	m.made += result.MatchedCount
	for _, id := range ids {
		todo[id].sent = true
	}
	for _, e := range bulk.WriteErrors {
		if isAway(e.WriteError) {
			continue
		}
		if err := m.refuse(ids[e.Index], fmt.Errorf("MongoDB refuses to keep it: %s", e.Message), todo); err != nil {
			return err
		}
	}
	return nil
}
