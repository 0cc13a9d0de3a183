package order

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"time"

	"order-processing-service/internal/domain/money"
)

// Fingerprint tells whether two requests ask for the same: 32 hexadecimal digits of a SHA-256 over
// what was asked, or "" for none. How the request was written (white space, order of keys, 12.5 or
// 12.50) makes no difference.
type Fingerprint string

// Fingerprint returns the draft's fingerprint. A price that can't be read counts as its text.
func (d *Draft) Fingerprint() Fingerprint {
	w := fingerprinter{sha256.New()}
	w.text("order")
	w.text(d.CustomerID)
	w.text(d.Reference)
	w.text(d.Currency)
	w.time(d.PlacedAt)
	currency, err := money.CurrencyOf(d.Currency)
	w.number(int64(len(d.Items)))
	for i := range d.Items {
		item := &d.Items[i]
		w.text(item.SKU)
		w.text(item.Name)
		w.number(item.Quantity)
		price := item.UnitPrice
		if err == nil {
			if p, err := money.ParsePrice(price, currency); err == nil {
				price = p.Decimal(currency)
			}
		}
		w.text(price)
	}
	w.number(int64(len(d.Metadata)))
	for _, key := range slices.Sorted(maps.Keys(d.Metadata)) {
		w.text(key)
		w.text(d.Metadata[key])
	}
	return w.sum()
}

// ChangeFingerprint returns the fingerprint of a change: a move to status ("" for none) and a
// metadata patch.
func ChangeFingerprint(status Status, metadata map[string]*string) Fingerprint {
	w := fingerprinter{sha256.New()}
	w.text("change")
	w.text(string(status))
	w.number(int64(len(metadata)))
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		w.text(key)
		if value := metadata[key]; value != nil {
			w.number(1)
			w.text(*value)
		} else {
			w.number(0)
		}
	}
	return w.sum()
}

// Fingerprint returns the report's fingerprint.
func (r *Report) Fingerprint() Fingerprint {
	w := fingerprinter{sha256.New()}
	w.text("report")
	for _, part := range []string{string(r.Type), r.Amount, r.Currency, r.Carrier, r.Tracking} {
		w.text(part)
	}
	return w.sum()
}

// fingerprinter writes parts with their lengths, so that no two lists of parts read the same.
type fingerprinter struct{ h hash.Hash }

func (w fingerprinter) number(n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n)) //nolint:gosec // only equality matters
	w.h.Write(b[:])
}

func (w fingerprinter) text(s string) {
	w.number(int64(len(s)))
	w.h.Write([]byte(s))
}

func (w fingerprinter) time(t time.Time) {
	if t.IsZero() {
		w.number(0)
		return
	}
	w.number(1)
	w.number(Moment(t).UnixMilli())
}

func (w fingerprinter) sum() Fingerprint {
	return Fingerprint(hex.EncodeToString(w.h.Sum(nil)[:16]))
}
