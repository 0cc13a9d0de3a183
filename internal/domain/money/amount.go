// Package money holds amounts, unit prices and ISO 4217 currencies. Amounts are whole minor units
// (cents, yen, fils) and prices exact decimals: no binary floating point is used anywhere.
package money

import (
	"strconv"

	"order-processing-service/internal/domain/fault"
)

// Amount is a sum of money in minor units of a currency that the context gives: an order has one
// currency for all its amounts. 2550 is 25.50 in USD and 2,550 in JPY.
type Amount int64

// MaxAmount is the largest amount: 15 significant digits, which is what a JSON number can carry
// exactly to every reader (RFC 8259, section 6).
const MaxAmount Amount = 999_999_999_999_999

// ErrTooLarge is the fault that a sum or a product beyond MaxAmount is answered with.
var ErrTooLarge = fault.New(fault.Invalid, "amount_too_large",
	"comes to more than 999,999,999,999,999 minor units (15 digits); lower the quantity or the price, or split the order")

// Add returns a + b, or ErrTooLarge if that is more than MaxAmount either way.
func (a Amount) Add(b Amount) (Amount, error) {
	// Both are within 15 digits, so the sum can't overflow 64 bits.
	sum := a + b
	if sum > MaxAmount || sum < -MaxAmount {
		return 0, ErrTooLarge
	}
	return sum, nil
}

// AppendDecimal appends a as a decimal number with exactly the decimals that c has: 25.50.
func (a Amount) AppendDecimal(dst []byte, c Currency) []byte {
	if c.digits == 0 {
		return strconv.AppendInt(dst, int64(a), 10)
	}
	u := uint64(a) //nolint:gosec // the bits of a negative number are turned around below
	if a < 0 {
		dst = append(dst, '-')
		u = -u
	}
	scale := pow10[c.digits]
	dst = strconv.AppendUint(dst, u/scale, 10)
	dst = append(dst, '.')
	frac := u % scale
	for s := scale / 10; s > 0; s /= 10 {
		dst = append(dst, byte('0'+frac/s%10))
	}
	return dst
}

// Decimal returns a as AppendDecimal writes it.
func (a Amount) Decimal(c Currency) string { return string(a.AppendDecimal(nil, c)) }

var pow10 = [...]uint64{1, 10, 100, 1_000, 10_000}
