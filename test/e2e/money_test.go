package e2e_test

import (
	"fmt"
	"testing"
)

// priced places an order of one line.
func priced(currency, price string, quantity, status int, has string) step {
	return step{
		name: fmt.Sprint(quantity, " at ", price, " ", currency), request: "POST /orders", status: status, has: has,
		body: fmt.Sprintf(
			`{"customer_id": "c", "currency": %q, "items": [{"sku": "A", "quantity": %d, "unit_price": %s}]}`, currency, quantity,
			price,
		),
	}
}

func TestMoney(t *testing.T) {
	taken := func(currency, price string, quantity int, unitPrice, total string) step {
		return priced(currency, price, quantity, 201, fmt.Sprintf(`{"currency": %q, "total": %s, "items": [{"unit_price": %s,
			"line_total": %[2]s}]}`, currency, total, unitPrice))
	}
	refusedPrice := func(currency, price, message string) step {
		return priced(currency, price, 1, 422, fmt.Sprintf(`{"code": "validation_failed",
			"errors": [{"location": "body.items[0].unit_price", "message": %q}]}`, message))
	}
	const (
		noNumber = "must be a decimal number such as 12.50"
		noPrice  = "must be a decimal number such as 12.50, or a string that holds one"
		tooExact = "must have at most 15 significant digits"
		tooLarge = "times quantity comes to more than 999,999,999,999,999 minor units (15 digits); " +
			"lower the quantity or the price, or split the order"
	)
	run(t, []scenario{
		{
			name: "prices and totals are exact", orders: 16,
			steps: []step{
				taken("USD", "12.5", 2, "12.50", "25.00"),
				taken("JPY", "1980", 3, "1980", "5940"), taken("JPY", "0.5", 3, "0.5", "2"), // half to even
				taken("JPY", "0.5", 1, "0.5", "0"), taken("KWD", "1.2345", 2, "1.2345", "2.469"), taken("KWD", "1", 1, "1.000", "1.000"),
				taken("GBP", "12.345", 1, "12.345", "12.34"), taken("GBP", "12.345", 1000, "12.345", "12345.00"),
				taken("GBP", "0.015", 1, "0.015", "0.02"),
				taken("USD", `"12.50"`, 1, "12.50", "12.50"), taken("USD", `"0.1"`, 3, "0.10", "0.30"),
				taken("USD", "1.25e1", 1, "12.50", "12.50"),
				taken("USD", "-0", 1, "0.00", "0.00"), taken("USD", "0.000001", 1000000, "0.000001", "1.00"),
				taken("USD", "9999999999999.99", 1, "9999999999999.99", "9999999999999.99"),
				taken("JPY", "999999999999999", 1, "999999999999999", "999999999999999"),
			},
		},
		{
			name: "the total is the sum of the rounded lines, paid to the penny", orders: 1,
			steps: []step{
				{
					request: "POST /orders", body: `{"customer_id": "c", "currency": "GBP", "items": [
						{"sku": "A", "quantity": 1, "unit_price": 0.005}, {"sku": "B", "quantity": 1, "unit_price": 0.015}, {"sku": "C",
						"quantity": 3, "unit_price": 0.335}]}`,
					status: 201, has: `{"total": 1.02, "items": [{"line_total": 0.00}, {"line_total": 0.02}, {"line_total": 1.00}]}`,
					keep: fields{"order": "id"},
				},
				moved("PAID", `{"payments": [{"amount": 1.02}]}`),
			},
		},
		{
			name: "prices that are none",
			steps: []step{
				refusedPrice("USD", "-0.01", "must be zero or more"), refusedPrice("USD", `"-1"`, "must be zero or more"),
				refusedPrice("USD", "1.1234567", "must have at most 6 decimals in USD"),
				refusedPrice("JPY", "1.12345", "must have at most 4 decimals in JPY"),
				refusedPrice("USD", "1234567890123456", tooExact), refusedPrice("USD", "0.30000000000000004", tooExact),
				refusedPrice("USD", `""`, "is required: a decimal number such as 12.50"), refusedPrice("USD", `"12,50"`, noNumber),
				refusedPrice("USD", `" 1"`, noNumber),
				refusedPrice("USD", `"1e"`, noNumber), refusedPrice("USD", `"NaN"`, noNumber), refusedPrice("USD", `"0x1F"`, noNumber),
				refusedPrice("USD", `"١"`, noNumber),
				refusedPrice("USD", `"+1"`, noNumber), refusedPrice("USD", `"01"`, noNumber),
				refusedPrice("USD", `"`+repeat("1", 65)+`"`, noNumber),
				refusedPrice("USD", "true", noPrice), refusedPrice("USD", "[1]", noPrice), refusedPrice("USD", `{"amount": 1}`, noPrice),
				refusedPrice("USD", "10000000000000", tooLarge), refusedPrice("USD", `"999999999999999"`, tooLarge),
				priced(
					"USD", "9999999999999.99", 2, 422,
					`{"errors": [{"location": "body.items[0].unit_price", "message": "`+tooLarge+`"}]}`,
				),
				priced("USD", "1e400", 1, 422, `{"errors": [{"location": "body.items[0].unit_price"}]}`),
				priced("USD", "1e-400", 1, 422, `{"errors": [{"location": "body.items[0].unit_price"}]}`),
				priced(
					"usd", "1", 1, 422,
					`{"errors": [{"location": "body.currency",
						"message": "must be an ISO 4217 currency code in upper case, such as USD, EUR or JPY"}]}`,
				),
				priced("XAU", "1", 1, 422, `{"errors": [{"location": "body.currency"}]}`),
				priced("BTC", "1", 1, 422, `{"errors": [{"location": "body.currency"}]}`),
			},
		},
		{
			name: "sums that are too large",
			steps: []step{{
				request: "POST /orders", body: `{"customer_id": "c", "items": [
					{"sku": "A", "quantity": 1, "unit_price": 9999999999999.99}, {"sku": "B", "quantity": 1, "unit_price": 0.01}]}`,
				status: 422, has: `{"errors": [{"location": "body.items"}]}`,
			}},
		},
		{
			name: "quantities", orders: 4,
			steps: []step{
				priced("USD", "1", 1000000, 201, `{"total": 1000000.00}`), priced("USD", "1", 1, 201, `{}`),
				priced("USD", "1", 0, 422, quantityFault), priced("USD", "1", -1, 422, quantityFault),
				priced("USD", "1", 1000001, 422, quantityFault),
				quantity("1.5", 422), quantity("1e30", 422), quantity("99999999999999999999", 422), quantity(`"2"`, 422),
				quantity("null", 422), quantity("true", 422),
				quantity("2.0", 201), quantity("2e3", 201),
			},
		},
	})
}

const quantityFault = `{"errors": [{"location": "body.items[0].quantity", "message": "must be a whole number from 1 to 1,000,000"}]}`

// quantity places an order with a quantity as it stands in JSON.
func quantity(text string, status int) step {
	st := step{
		name: "quantity " + text, request: "POST /orders", status: status,
		body: fmt.Sprintf(`{"customer_id": "c", "items": [{"sku": "A", "quantity": %s, "unit_price": 1}]}`, text),
	}
	if status != 201 {
		st.has = quantityFault
	}
	return st
}
