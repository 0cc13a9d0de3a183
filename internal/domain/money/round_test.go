package money_test

import (
	"math/big"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"order-processing-service/internal/domain/money"
)

func TestRoundPrice(t *testing.T) {
	tests := []struct {
		text, code, want string // want "" means refused
		rounded          bool
	}{
		{"12.5", "USD", "12.50", false},
		{"-0", "USD", "0.00", false},
		{"0.30000000000000004", "USD", "0.30", true},
		{"0.0000005", "USD", "0.00", true}, // half to even: down
		{"0.0000015", "USD", "0.000002", true},
		{"0.0000025", "USD", "0.000002", true},
		{"5.0000000000000001e-07", "USD", "0.000001", true}, // a little more than half
		{"1e-300", "USD", "0.00", true},
		{"0.00005", "JPY", "0", true},
		{"0.00015", "JPY", "0.0002", true},
		{"9999999999.999995", "USD", "10000000000.00", true}, // 15 digits leave five decimals
		{"99999999999999.95", "USD", "100000000000000.00", true},
		{"99999999999999.85", "USD", "99999999999999.80", true}, // 15 digits leave one decimal
		{"1234567890123.456", "USD", "1234567890123.46", true},
		{"999999999999999.4", "JPY", "999999999999999", true},
		{"999999999999999.5", "JPY", "", false}, // 16 digits
		{"1e15", "USD", "", false},
		{"1.7976931348623157e+308", "USD", "", false},
		{"-1e-300", "USD", "", false},
		{"-2.5", "USD", "", false},
		{"NaN", "USD", "", false},
		{"+Inf", "USD", "", false},
		{"1/3", "USD", "", false},
		{"", "USD", "", false},
	}
	for _, tt := range tests {
		c := currency(t, tt.code)
		p, rounded, err := money.RoundPrice(tt.text, c)
		switch {
		case tt.want == "" && err == nil:
			t.Errorf("RoundPrice(%q, %s) = %s, want an error", tt.text, tt.code, p.Decimal(c))
		case tt.want != "" && (err != nil || p.Decimal(c) != tt.want || rounded != tt.rounded):
			t.Errorf("RoundPrice(%q, %s) = %s, %v, %v, want %s, %v", tt.text, tt.code, p.Decimal(c), rounded, err, tt.want, tt.rounded)
		}
	}
}

// TestRoundPriceReadsEveryDouble holds what is read of doubles against the doubles.
func TestRoundPriceReadsEveryDouble(t *testing.T) {
	usd := currency(t, "USD")
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64Range(0, 1e14).Draw(t, "price")
		text := strconv.FormatFloat(f, 'g', -1, 64)
		p, rounded, err := money.RoundPrice(text, usd)
		if err != nil {
			t.Fatal(err)
		}
		back, err := strconv.ParseFloat(p.Decimal(usd), 64)
		if err != nil || !rounded && back != f {
			t.Fatalf("%v is read as %s, which is not said to be rounded", f, p.Decimal(usd))
		}
		// Half of the sixth decimal, or of the fifteenth digit; doubles can't tell whether it is more than that.
		most := ratio(t, strconv.FormatFloat(max(5e-7, f*5e-15), 'g', -1, 64))
		if off := new(big.Rat).Sub(ratio(t, p.Decimal(usd)), ratio(t, text)); off.Abs(off).Cmp(most) > 0 {
			t.Fatalf("%v is read as %s", f, p.Decimal(usd))
		}
	})
}

func ratio(t *rapid.T, text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}
