package money_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"order-processing-service/internal/domain/money"
)

func currency(t testing.TB, code string) money.Currency {
	t.Helper()
	c, err := money.CurrencyOf(code)
	if err != nil {
		t.Fatalf("CurrencyOf(%q): %v", code, err)
	}
	return c
}

func TestCurrencyOf(t *testing.T) {
	for code, digits := range map[string]int{"USD": 2, "JPY": 0, "KWD": 3, "CLF": 4} {
		if c := currency(t, code); c.Code() != code || c.Digits() != digits {
			t.Errorf("CurrencyOf(%q) = %q with %d digits, want %d", code, c.Code(), c.Digits(), digits)
		}
	}
	for _, code := range []string{"", "usd", "US", "USDX", "XAU", "XXX", "€"} {
		if _, err := money.CurrencyOf(code); err == nil {
			t.Errorf("CurrencyOf(%q) was accepted", code)
		}
	}
}

func TestAmountDecimal(t *testing.T) {
	tests := []struct {
		amount money.Amount
		code   string
		want   string
	}{
		{0, "USD", "0.00"},
		{5, "USD", "0.05"},
		{2550, "USD", "25.50"},
		{-2550, "USD", "-25.50"},
		{2550, "JPY", "2550"},
		{2550, "KWD", "2.550"},
		{7, "CLF", "0.0007"},
		{money.MaxAmount, "USD", "9999999999999.99"},
	}
	for _, tt := range tests {
		if got := tt.amount.Decimal(currency(t, tt.code)); got != tt.want {
			t.Errorf("%d in %s = %s, want %s", tt.amount, tt.code, got, tt.want)
		}
	}
}

func TestParsePrice(t *testing.T) {
	tests := []struct {
		text, code, want string // want "" means refused
	}{
		{"0", "USD", "0.00"},
		{"-0", "USD", "0.00"},
		{"12.5", "USD", "12.50"},
		{"12.50", "EUR", "12.50"},
		{"1.25e1", "EUR", "12.50"},
		{"125E-1", "EUR", "12.50"},
		{"12.345", "GBP", "12.345"},
		{"0.000001", "GBP", "0.000001"},
		{"0.0000001", "GBP", ""},
		{"0.0001", "JPY", "0.0001"},
		{"0.00001", "JPY", ""},
		{"5.0000000000", "JPY", "5"},
		{"123456789012345", "JPY", "123456789012345"},
		{"1234567890123456", "JPY", ""},
		{"999999999.999999", "USD", "999999999.999999"},
		{"1e14", "JPY", "100000000000000"},
		{"1e15", "JPY", ""},
		{"1e-300", "USD", ""},
		{"1e400", "USD", ""},
		{"1e99999999999999999999", "USD", ""},
		{"-0.01", "USD", ""},
		{"", "USD", ""},
		{"+1", "USD", ""},
		{".5", "USD", ""},
		{"5.", "USD", ""},
		{"05", "USD", ""},
		{"1,5", "USD", ""},
		{"1e", "USD", ""},
		{"NaN", "USD", ""},
		{" 1", "USD", ""},
		{"0x10", "USD", ""},
		{strings.Repeat("0", 400), "USD", ""},
	}
	for _, tt := range tests {
		c := currency(t, tt.code)
		p, err := money.ParsePrice(tt.text, c)
		switch {
		case tt.want == "" && err == nil:
			t.Errorf("ParsePrice(%q, %s) = %s, want an error", tt.text, tt.code, p.Decimal(c))
		case tt.want != "" && err != nil:
			t.Errorf("ParsePrice(%q, %s): %v", tt.text, tt.code, err)
		case tt.want != "" && p.Decimal(c) != tt.want:
			t.Errorf("ParsePrice(%q, %s) = %s, want %s", tt.text, tt.code, p.Decimal(c), tt.want)
		}
	}
}

func TestTimesRoundsOnceHalfToEven(t *testing.T) {
	tests := []struct {
		price    string
		quantity int64
		code     string
		want     money.Amount
	}{
		{"12.345", 1, "GBP", 1234},
		{"12.355", 1, "GBP", 1236},
		{"12.345", 2, "GBP", 2469},
		{"0.0049", 1, "USD", 0},
		{"0.005", 1, "USD", 0},
		{"0.015", 1, "USD", 2},
		{"0.5", 1, "JPY", 0},
		{"1.5", 1, "JPY", 2},
		{"0.0005", 1, "KWD", 0},
		{"999999999.9999", 1_000_000, "JPY", 999_999_999_999_900},
	}
	for _, tt := range tests {
		c := currency(t, tt.code)
		p, err := money.ParsePrice(tt.price, c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Times(tt.quantity, c)
		if err != nil || got != tt.want {
			t.Errorf("%s x %d %s = %d, %v, want %d", tt.price, tt.quantity, tt.code, got, err, tt.want)
		}
	}
}

func TestTimesTooLarge(t *testing.T) {
	usd := currency(t, "USD")
	p, err := money.ParsePrice("999999999999999", usd)
	if err != nil {
		t.Fatal(err)
	}
	for _, quantity := range []int64{1, 2, 1_000_000} {
		if got, err := p.Times(quantity, usd); !errors.Is(err, money.ErrTooLarge) {
			t.Errorf("999999999999999 x %d = %d, %v, want ErrTooLarge", quantity, got, err)
		}
	}
	if _, err := money.MaxAmount.Add(1); !errors.Is(err, money.ErrTooLarge) {
		t.Errorf("MaxAmount + 1: %v, want ErrTooLarge", err)
	}
}

// TestTimesIsExact holds Times against arithmetic on big rationals.
func TestTimesIsExact(t *testing.T) {
	codes := []string{"JPY", "USD", "KWD", "CLF"}
	rapid.Check(t, func(t *rapid.T) {
		c, err := money.CurrencyOf(rapid.SampledFrom(codes).Draw(t, "currency"))
		if err != nil {
			t.Fatal(err)
		}
		coef := rapid.Int64Range(0, 999_999_999_999_999).Draw(t, "coefficient")
		scale := rapid.IntRange(0, c.Digits()+money.ExtraPriceDigits).Draw(t, "scale")
		quantity := rapid.Int64Range(0, 1_000_000).Draw(t, "quantity")

		exact := new(big.Rat).SetFrac(big.NewInt(coef), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
		p, err := money.ParsePrice(exact.FloatString(scale), c)
		if err != nil {
			t.Fatalf("ParsePrice(%s): %v", exact.FloatString(scale), err)
		}
		minor := new(big.Rat).Mul(exact, new(big.Rat).SetInt64(quantity))
		minor.Mul(minor, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(c.Digits())), nil)))
		want := halfToEven(minor)

		got, err := p.Times(quantity, c)
		if want.Cmp(big.NewInt(int64(money.MaxAmount))) > 0 {
			if !errors.Is(err, money.ErrTooLarge) {
				t.Fatalf("got %d, %v, want ErrTooLarge for %s", got, err, want)
			}
			return
		}
		if err != nil || big.NewInt(int64(got)).Cmp(want) != 0 {
			t.Fatalf("got %d, %v, want %s", got, err, want)
		}
	})
}

func halfToEven(r *big.Rat) *big.Int {
	quotient, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	switch twice := new(big.Int).Lsh(rest, 1); twice.Cmp(r.Denom()) {
	case 1:
		quotient.Add(quotient, big.NewInt(1))
	case 0:
		if quotient.Bit(0) == 1 {
			quotient.Add(quotient, big.NewInt(1))
		}
	}
	return quotient
}

func FuzzParsePrice(f *testing.F) {
	for _, seed := range []string{"12.50", "1e3", "-0", "0.0000001", "999999999999999"} {
		f.Add(seed, "USD")
	}
	f.Fuzz(func(t *testing.T, text, code string) {
		c, err := money.CurrencyOf(code)
		if err != nil {
			return
		}
		p, err := money.ParsePrice(text, c)
		if err != nil {
			return
		}
		again, err := money.ParsePrice(p.Decimal(c), c)
		if err != nil || again != p {
			t.Fatalf("ParsePrice(%q) = %s, which reads back as %s, %v", text, p.Decimal(c), again.Decimal(c), err)
		}
	})
}
