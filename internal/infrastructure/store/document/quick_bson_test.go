package document_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/infrastructure/store/document"
)

// fullBSON is a document in which every member of an order says something, among others.
func fullBSON(t testing.TB) bson.Raw {
	t.Helper()
	s := full(t)
	s.Metadata = map[string]string{"a": "x", "b": "", "ü": "漢"}
	d := document.NewBSON()
	d.ID("_id", s.ID)
	d.Order(&s)
	d.Integer("revision", 1<<40)
	d.Flag("known", true)
	d.Tracks("tracks", nil)
	return d.Bytes()
}

// sameOrderBSON wants what is read quickly to be what is read otherwise; it reports whether it was read quickly.
func sameOrderBSON(t *testing.T, raw []byte) bool {
	t.Helper()
	quick, ok := document.QuickOrderBSON(id(1), string(raw))
	if !ok {
		return false
	}
	s, err := document.AnyOrderBSON(id(1), raw)
	if err != nil {
		t.Fatalf("%q is read quickly, but: %v", raw, err)
	}
	if bytes.Equal(document.AppendOrder(nil, &s), document.AppendOrder(nil, &quick)) { // cmp takes a hundred times as long
		return true
	}
	if diff := cmp.Diff(s, quick, values); diff != "" {
		t.Fatalf("%q is read otherwise: %s", raw, diff)
	}
	return true
}

func TestQuickOrderBSON(t *testing.T) {
	raw := fullBSON(t)
	if !sameOrderBSON(t, raw) {
		t.Errorf("%s is not read quickly", raw)
	}
	var members bson.D
	if err := bson.Unmarshal(raw, &members); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(members)
	turned, err := bson.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	if !sameOrderBSON(t, turned) {
		t.Errorf("%s is not read quickly", bson.Raw(turned))
	}
	for i := range raw {
		sameOrderBSON(t, raw[:i])
		for _, c := range []byte{0, 2, 4, 10, 16, 'A', 0xff} {
			spoiled := slices.Clone(raw)
			spoiled[i] = c
			sameOrderBSON(t, spoiled)
		}
	}
}

func FuzzQuickOrderBSON(f *testing.F) {
	f.Add([]byte(fullBSON(f)))
	f.Fuzz(func(t *testing.T, raw []byte) { sameOrderBSON(t, raw) })
}
