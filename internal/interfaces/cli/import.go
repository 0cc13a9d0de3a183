package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/domain/money"
)

// ImportOptions is what the import command was told, checked as far as that goes without reading the input.
type ImportOptions struct {
	// Overrides are values of settings that flags gave, by variable name. They win over the environment.
	Overrides map[string]string

	Input io.Reader // the file, or standard input; closed by the caller
	Name  string    // the file's path, or "-"
	Size  int64     // bytes of Input as it is stored; -1 when not known

	// Columns maps a field (reference, customer_id, sku, quantity, unit_price, name, placed_at, currency or
	// metadata.KEY) to the header of the column that holds it. A field that is not here has a column of its own name.
	Columns  map[string]string
	Currency money.Currency // of lines that name none; zero for the DEFAULT_CURRENCY setting
	// DateLayout is the Go layout of dates; empty for the import's own choice. Location is the zone of dates that name
	// none, never nil.
	DateLayout string
	Location   *time.Location

	DryRun    bool      // check everything, keep nothing, ask no store
	AsHistory bool      // keep the orders as told already
	Rejects   io.Writer // where refused lines go; nil for nowhere
	URL       string    // base address of a running service to send to; empty for the configured store itself
	JSON      bool      // report as JSON

	// Watch is told as well how far the import is, if not nil: often, never by two goroutines at a time.
	Watch func(importing.Progress)
}

func newImport(commands Commands, streams Streams) *cobra.Command {
	options := ImportOptions{Columns: make(map[string]string), Location: time.UTC}
	var rejects string
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Bring in orders from a CSV or NDJSON file",
		Long: `Turn the lines of a file into orders. FILE is CSV with a header line or NDJSON in the
API's own form, plain or compressed with gzip; - is standard input.

Lines of one reference make one order, which is imported whole or refused whole. The
reference decides the order's id, so an import that was interrupted is just run again.
Exits 0 also when some orders were refused, 1 when it could not finish.`,
		Example: `  orders import orders.csv
  orders import sales.csv.gz --column reference=Invoice --column sku=StockCode \
      --column customer_id='Customer ID' --column unit_price=Price --column placed_at=InvoiceDate \
      --currency GBP --date-layout '2006-01-02 15:04:05' --rejects refused.csv
  zcat orders.csv.gz | orders import - --dry-run
  orders import orders.ndjson --url http://orders.example:8000`,
		Args: oneFile,
	}
	flags := cmd.Flags()
	flags.Func("column", "column of a field, as `FIELD=HEADER`; repeatable", options.setColumn)
	flags.Func("currency", "`CODE` of the currency of lines that name none", options.setCurrency)
	flags.Func("date-layout", "Go `LAYOUT` of dates, such as '2006-01-02 15:04:05'", options.setDateLayout)
	flags.Func("time-zone", "`ZONE` of dates that name none, such as Europe/London (default UTC)", options.setLocation)
	flags.BoolVar(&options.DryRun, "dry-run", false, "check everything, keep nothing; what is there already is not checked")
	flags.BoolVar(&options.AsHistory, "as-history", false, "keep the orders as told already: no subscriber hears of them")
	flags.StringVar(&rejects, "rejects", "", "`FILE` for refused lines, with their numbers and reasons")
	urlFlag(flags, &options.URL, "base `URL` of a running service to send to, instead of the configured store", "http://127.0.0.1:8000")
	overrides := settingFlags(cmd, "DATA_DIR")
	wantJSON := outputFlag(cmd)

	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		options.Overrides, options.JSON, options.Name = overrides(), wantJSON(), args[0]
		if options.URL != "" && len(options.Overrides) > 0 {
			return usagef("--data-dir is for the store itself: leave it out, or leave out --url")
		}
		input, size, err := openInput(args[0], streams.In)
		if err != nil {
			return err
		}
		defer input.Close()
		options.Input, options.Size = input, size
		if rejects != "" {
			file, err := createRejects(rejects, args[0])
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, file.Close()) }()
			options.Rejects = file
		}
		return commands.Import(cmd.Context(), streams, options)
	}
	return cmd
}

func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("name one file to import, or - for standard input, but got %d; see '%s --help'", len(args), cmd.CommandPath())
	}
	return nil
}

// openInput opens the file to import and tells its size, -1 when not known.
func openInput(name string, stdin io.Reader) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(stdin), -1, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, usagef("cannot read %s: %w", name, withoutPath(err))
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("it is a folder; name a file")
	}
	if err != nil {
		return nil, 0, errors.Join(usagef("cannot read %s: %w", name, withoutPath(err)), file.Close())
	}
	if !info.Mode().IsRegular() {
		return file, -1, nil
	}
	return file, info.Size(), nil
}

// createRejects makes the file for refused lines, or empties it, but never the file that is read.
func createRejects(name, input string) (*os.File, error) {
	if in, err := os.Stat(input); err == nil {
		if out, err := os.Stat(name); err == nil && os.SameFile(in, out) {
			return nil, usagef("--rejects %s is the file to import itself: name another one", name)
		}
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, usagef("cannot write --rejects %s: %w", name, withoutPath(err))
	}
	return file, nil
}

// withoutPath leaves out what the message around an error says already.
func withoutPath(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}
