package importing

import (
	"math/big"

	"order-processing-service/internal/domain/money"
)

// Summary is what came of an import. Lines are records of the input: an order line of CSV, an order
// of NDJSON; the header is none.
type Summary struct {
	OrdersRead     int64
	OrdersCreated  int64 // in a dry run: that would be created, if they are not there already
	OrdersExisting int64 // there already, with the same content
	OrdersRejected int64
	LinesRead      int64
	// LinesRejected counts the lines of refused orders, and those without a reference, which belong
	// to no order.
	LinesRejected int64
	// LinesCreated counts the lines of created orders.
	LinesCreated int64
	// Merged counts the orders, refused ones not among them, whose lines gave several dates or
	// several values of a metadata key.
	Merged int64
	// Totals are the sums of the totals of the created orders.
	Totals Totals
}

// Totals are sums of order totals by currency. There is no limit to them.
type Totals map[money.Currency]*big.Int

// Decimals returns the sums by ISO 4217 code, each as a decimal number with exactly the decimals that
// its currency has.
func (t Totals) Decimals() map[string]string {
	decimals := make(map[string]string, len(t))
	for currency, minor := range t {
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(currency.Digits())), nil)
		decimals[currency.Code()] = new(big.Rat).SetFrac(minor, scale).FloatString(currency.Digits())
	}
	return decimals
}

// orders counts the orders dealt with.
func (s *Summary) orders() int64 { return s.OrdersCreated + s.OrdersExisting + s.OrdersRejected }

// add adds another part of the same import, but for OrdersRead and LinesRead.
func (s *Summary) add(part *Summary) {
	s.OrdersCreated += part.OrdersCreated
	s.OrdersExisting += part.OrdersExisting
	s.OrdersRejected += part.OrdersRejected
	s.LinesRejected += part.LinesRejected
	s.LinesCreated += part.LinesCreated
	s.Merged += part.Merged
	for currency, minor := range part.Totals {
		s.addTotal(currency, minor)
	}
}

func (s *Summary) addTotal(currency money.Currency, minor *big.Int) {
	if s.Totals == nil {
		s.Totals = make(Totals)
	}
	if s.Totals[currency] == nil {
		s.Totals[currency] = new(big.Int)
	}
	s.Totals[currency].Add(s.Totals[currency], minor)
}
