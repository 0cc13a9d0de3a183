package money

import (
	"fmt"
	"strings"

	"github.com/govalues/decimal"

	"order-processing-service/internal/domain/fault"
)

const (
	// ExtraPriceDigits is how many decimals a unit price may have beyond those of its currency.
	ExtraPriceDigits = 4
	// MaxPriceDigits is how many significant digits a unit price may have: what a JSON number can
	// carry exactly to every reader (RFC 8259, section 6).
	MaxPriceDigits = 15
	// MaxPriceText is how long the text of a unit price may be; longer ones are refused unread.
	MaxPriceText = 64
)

// Price is the exact price of one unit, zero or more. It may be finer than its currency's minor
// unit: 12.345 GBP. The zero value is a price of zero. Prices are in lowest form and comparable
// with ==.
type Price struct {
	d decimal.Decimal
}

// ParsePrice reads a price in the JSON number grammar (RFC 8259, section 6), as in "12.5" or
// "1.25e1". It refuses, with a fault of kind Invalid, other texts, negative numbers, more than
// MaxPriceDigits significant digits and more decimals than c has plus ExtraPriceDigits.
func ParsePrice(text string, c Currency) (Price, error) {
	digits, ok := scanNumber(text)
	if !ok {
		return Price{}, priceFault("must be a decimal number such as 12.50")
	}
	if digits > MaxPriceDigits {
		return Price{}, priceFault(fmt.Sprintf("must have at most %d significant digits", MaxPriceDigits))
	}
	d, err := decimal.Parse(text)
	if err != nil {
		return Price{}, priceFault(fmt.Sprintf("must be between 0 and %d digits", MaxPriceDigits))
	}
	d = d.Trim(0)
	if d.IsNeg() {
		return Price{}, priceFault("must be zero or more")
	}
	if d.Prec() > MaxPriceDigits || (d.IsZero() && digits > 0) {
		return Price{}, priceFault(fmt.Sprintf("must have at most %d significant digits", MaxPriceDigits))
	}
	if limit := c.digits + ExtraPriceDigits; d.Scale() > limit {
		return Price{}, priceFault(fmt.Sprintf("must have at most %d decimals in %s", limit, c.code))
	}
	return Price{d: d}, nil
}

// Times returns the price of quantity units, rounded once to minor units of c, half to even. The
// error is ErrTooLarge when that is beyond MaxAmount. Quantity must be zero or more.
func (p Price) Times(quantity int64, c Currency) (Amount, error) {
	q, err := decimal.New(quantity, 0)
	if err != nil {
		return 0, ErrTooLarge
	}
	// A product of more than the library's 19 digits loses exactness, but with at most
	// ExtraPriceDigits digits below the minor unit it is then also beyond MaxAmount.
	product, err := p.d.Mul(q)
	if err != nil {
		return 0, ErrTooLarge
	}
	// Round rounds half to even.
	rounded := product.Round(c.digits).Pad(c.digits)
	if rounded.Scale() != c.digits || rounded.Coef() > uint64(MaxAmount) {
		return 0, ErrTooLarge
	}
	return Amount(rounded.Coef()), nil //nolint:gosec // bounded by MaxAmount just above
}

// AppendDecimal appends p as a decimal number with at least the decimals that c has: 12.50, 12.345.
func (p Price) AppendDecimal(dst []byte, c Currency) []byte {
	dst, _ = p.d.Pad(c.digits).AppendText(dst) // appending to a slice can't fail
	return dst
}

// Decimal returns p as AppendDecimal writes it.
func (p Price) Decimal(c Currency) string { return string(p.AppendDecimal(nil, c)) }

// IsZero reports whether the price is zero.
func (p Price) IsZero() bool { return p.d.IsZero() }

func priceFault(message string) error {
	return fault.New(fault.Invalid, "price_invalid", message)
}

// scanNumber checks text against the number grammar of JSON and counts its significant digits:
// those from the first to the last that is not zero.
func scanNumber(text string) (significant int, ok bool) {
	if len(text) > MaxPriceText {
		return 0, false
	}
	s := scanner{text: text}
	s.skip("-")
	first := s.at
	if !s.digits() || text[first] == '0' && s.at > first+1 {
		return 0, false
	}
	if s.skip(".") && !s.digits() {
		return 0, false
	}
	significant = s.significant // the digits of an exponent do not count
	if s.skip("eE") {
		s.skip("+-")
		if !s.digits() {
			return 0, false
		}
	}
	return significant, s.at == len(text)
}

// scanner goes through the text of a number.
type scanner struct {
	text        string
	at          int
	significant int
	zeros       int // since the last digit that counts
}

// skip passes over one character of set, if there is one.
func (s *scanner) skip(set string) bool {
	if s.at == len(s.text) || strings.IndexByte(set, s.text[s.at]) < 0 {
		return false
	}
	s.at++
	return true
}

// digits passes over digits, and reports whether there were any.
func (s *scanner) digits() bool {
	start := s.at
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c < '0' || c > '9':
			return s.at > start
		case c != '0':
			s.significant += s.zeros + 1
			s.zeros = 0
		case s.significant > 0:
			s.zeros++
		}
	}
	return s.at > start
}
