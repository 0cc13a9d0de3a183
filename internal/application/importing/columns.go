package importing

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
)

// rejectsColumns are the first columns of the rejects. A file that begins with them is a rejects file
// that comes back mended: they are passed over.
var rejectsColumns = []string{"line", "reference", "reasons"}

// metadataPrefix marks the fields that are keys of an order's metadata.
const metadataPrefix = "metadata."

// columns says where in a record each field is; -1 for nowhere.
type columns struct {
	header []string
	first  int // the first column that is not of the rejects

	reference, customerID, sku, quantity, unitPrice int
	name, placedAt, currency                        int

	guarded  bool // the file is an export of ours, whose texts are guarded
	metadata []metadataColumn
}

type metadataColumn struct {
	key   string
	index int
}

// openCSV reads the header and finds the columns. Errors are faults.
func openCSV(text io.Reader, o *Options) (form, error) {
	reader := csvReader{lines: newLines(text), key: -1}
	var head record
	err := reader.next(&head)
	if errors.Is(err, io.EOF) {
		return nil, unusable("has no header line")
	}
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	if head.defect != "" {
		return nil, unusable("has no usable header line: " + head.defect)
	}
	header := make([]string, len(head.fields))
	for i, field := range head.fields {
		header[i] = string(field)
	}
	if strings.Contains(strings.Join(header, ""), "\x00") {
		return nil, unusable("is not text")
	}
	c := columns{header: header}
	if len(header) > len(rejectsColumns) && slices.Equal(header[:len(rejectsColumns)], rejectsColumns) {
		c.first = len(rejectsColumns)
	}
	if err := c.find(o); err != nil {
		return nil, err
	}
	c.guarded = strings.Join(header[c.first:], ",") == wire.CSVHeader
	reader.width, reader.key = len(header), c.reference
	return &csvForm{csvReader: reader, columns: c, options: o}, nil
}

// find finds the column of each field. The error is a fault that names every column that is missing.
func (c *columns) find(o *Options) error {
	var problems, missing []string
	index := func(field string, needed bool) int {
		header, named := o.Columns[field]
		if !named {
			header = field
		}
		i := slices.Index(c.header[c.first:], header)
		switch {
		case i >= 0 && slices.Contains(c.header[c.first+i+1:], header):
			problems = append(problems, fmt.Sprintf("two columns are called %q", header))
		case i >= 0:
			return c.first + i
		case named:
			problems = append(problems, fmt.Sprintf("no column is called %q", header))
		case needed:
			missing = append(missing, field)
		}
		return -1
	}
	c.reference = index("reference", true)
	c.customerID = index("customer_id", true)
	c.sku = index("sku", true)
	c.quantity = index("quantity", true)
	c.unitPrice = index("unit_price", true)
	c.name = index("name", false)
	c.placedAt = index("placed_at", false)
	c.currency = index("currency", false)
	for _, field := range c.metadataFields(o) {
		c.metadata = append(c.metadata, metadataColumn{key: strings.TrimPrefix(field, metadataPrefix), index: index(field, false)})
	}
	if len(missing) > 0 {
		problems = append(problems, fmt.Sprintf("no column is known for %s: name it with --column %s=HEADER",
			strings.Join(missing, ", "), missing[0]))
	}
	if c.currency < 0 && o.Currency.IsZero() {
		problems = append(problems, "no currency is known: give --currency CODE or --column currency=HEADER")
	}
	if len(problems) == 0 {
		return nil
	}
	found := "the columns are " + quoteNames(c.header[c.first:])
	if len(c.header) == 1 && strings.ContainsAny(c.header[0], ";\t|") {
		found = "the header has no commas; save the file with commas between the fields"
	}
	return fault.New(fault.Invalid, "columns_unknown", strings.Join(problems, "; ")+" ("+found+")")
}

// metadataFields lists the metadata fields that were named or have a column of their own name.
func (c *columns) metadataFields(o *Options) []string {
	fields := make(map[string]bool)
	for field := range o.Columns {
		fields[field] = true
	}
	for _, header := range c.header[c.first:] {
		fields[header] = true
	}
	maps.DeleteFunc(fields, func(field string, _ bool) bool {
		return !strings.HasPrefix(field, metadataPrefix)
	})
	return slices.Sorted(maps.Keys(fields))
}

// text is what a field of text says.
func (c *columns) text(field string) string {
	if c.guarded {
		return wire.UnguardCell(field)
	}
	return field
}
