package importing_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"order-processing-service/internal/application/importing"
)

// FuzzCSV imports any bytes as CSV: nothing may break, every record counts once, and what Go's own
// strict reader can read makes the same orders out of one file as out of files on the side.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("A,c,TEA,1,1\n"))
	f.Add([]byte("A,c,\"T\"\"E\nA\",1,1\r\nB,\"c\",TEA,1,1"))
	f.Add([]byte("A,c,\"TEA,1,1\nB,c,T\"EA,1,1\n,,,,\n"))
	f.Add([]byte("\"A\"x,c,TEA,1,1\n\xff,c,TEA,-1,\n\n\n\"\"\"\"\"\n"))
	f.Fuzz(func(t *testing.T, lines []byte) {
		text := header + string(lines)
		var rejects bytes.Buffer
		summary, err := importing.Run(t.Context(), plain(), importing.DryRun{Now: now}, strings.NewReader(text), &rejects)
		if err != nil {
			t.Fatal(err)
		}
		if summary.LinesRead != summary.LinesCreated+summary.LinesRejected {
			t.Fatalf("lines do not add up: %+v", summary)
		}
		if !bytes.ContainsRune(rejects.Bytes(), '\r') { // Go's reader drops it before a line feed
			if rows := readCSV(t, rejects.String()); int64(len(rows)-1) != summary.LinesRejected {
				t.Fatalf("%d rows of rejects for %d refused lines", len(rows)-1, summary.LinesRejected)
			}
		}
		if n, ok := wellFormed(text); ok && summary.LinesRead != n {
			t.Fatalf("read %d records of %d", summary.LinesRead, n)
		}
		options := plain()
		options.Memory, options.TempDir = 300, t.TempDir()
		aside, err := importing.Run(t.Context(), options, importing.DryRun{Now: now}, strings.NewReader(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "summary with files on the side", countsOf(summary), countsOf(aside))
	})
}

// wellFormed counts the records that Go's own reader finds behind the header, if it reads them all.
func wellFormed(text string) (records int64, ok bool) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = 5
	r.ReuseRecord = true
	for {
		_, err := r.Read()
		if errors.Is(err, io.EOF) {
			return records - 1, true
		}
		if err != nil {
			return 0, false
		}
		records++
	}
}

// BenchmarkImport reads, gathers and checks the excerpt; B/s are those of its text.
func BenchmarkImport(b *testing.B) {
	text := excerpt(b)
	for name, options := range map[string]importing.Options{"memory": retail(b), "aside": retail(b)} {
		if name == "aside" {
			options.Memory, options.TempDir = 8_000, b.TempDir()
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := importing.Run(b.Context(), options, importing.DryRun{Now: now}, strings.NewReader(text), nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
