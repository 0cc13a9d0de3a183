package wire

import "strings"

// CSVHeader names the columns of an export as CSV, with commas between them.
const CSVHeader = "order_id,customer_id,reference,status,payment_status,fulfillment_status,currency,total," +
	"placed_at,created_at,updated_at,version,line,sku,name,quantity,unit_price,line_total,canceled,shipped,delivered,returned"

// runs are the beginnings at which a spreadsheet takes a text for something to be run; the last four are what it may take for the
// first four.
var runs = [...]string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"}

// GuardCell returns a text of an export so that a spreadsheet shows it and does not run it: one that begins as a formula does gets
// an apostrophe in front. So does one that begins with apostrophes and then as a formula does, so that UnguardCell can tell
// them apart. Numbers need no guard, and must have none.
func GuardCell(text string) string {
	if isRun(text) {
		return "'" + text
	}
	return text
}

// UnguardCell returns the text of which GuardCell made this one.
func UnguardCell(cell string) string {
	if strings.HasPrefix(cell, "'") && isRun(cell) {
		return cell[1:]
	}
	return cell
}

// isRun tells whether a text begins, behind apostrophes, as something to be run.
func isRun(text string) bool {
	text = strings.TrimLeft(text, "'")
	for _, beginning := range runs {
		if strings.HasPrefix(text, beginning) {
			return true
		}
	}
	return false
}
