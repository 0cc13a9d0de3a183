package money

import "math/big"

// RoundPrice reads a price as ParsePrice does, but rounds what is finer than c allows, half to even, and
// reports whether it did. It is for prices that were kept as binary floating point: who sends a price is
// told instead.
func RoundPrice(text string, c Currency) (price Price, rounded bool, err error) {
	price, err = ParsePrice(text, c)
	if err == nil {
		return price, false, nil
	}
	if _, ok := scanNumber(text); !ok {
		return Price{}, false, err
	}
	exact, ok := new(big.Rat).SetString(text)
	if !ok || exact.Sign() < 0 {
		return Price{}, false, err
	}
	scale := c.digits + ExtraPriceDigits
	if whole := new(big.Int).Quo(exact.Num(), exact.Denom()); whole.Sign() > 0 {
		scale = min(scale, MaxPriceDigits-len(whole.String()))
	}
	if scale < 0 {
		return Price{}, false, err
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	nearest := new(big.Rat).SetFrac(roundHalfEven(new(big.Rat).Mul(exact, new(big.Rat).SetInt(unit))), unit)
	price, err = ParsePrice(nearest.FloatString(scale), c)
	return price, err == nil, err
}

// roundHalfEven returns the whole number next to r, which is zero or more; of two, the even one.
func roundHalfEven(r *big.Rat) *big.Int {
	quotient, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	half := rest.Lsh(rest, 1).Cmp(r.Denom())
	if half > 0 || half == 0 && quotient.Bit(0) == 1 {
		quotient.Add(quotient, big.NewInt(1))
	}
	return quotient
}
