package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"order-processing-service/internal/application/importing"
)

const (
	// barEvery is how often a bar is drawn anew.
	barEvery = 100 * time.Millisecond
	// lineEvery is how often progress is told where there is no terminal.
	lineEvery = 5 * time.Second
)

// importProgress shows how far an import is: first the reading of the file, then the placing of its
// orders. On a terminal it is a bar with rate and time left, elsewhere a line now and then.
type importProgress struct {
	w        io.Writer
	terminal bool
	size     int64 // bytes to read; -1 when not known
	now      func() time.Time

	bar     *progressbar.ProgressBar
	placing bool
	begun   time.Time // the placing
	told    time.Time // the last line
	warned  time.Time // the last line about trouble
}

func newImportProgress(w io.Writer, size int64, now func() time.Time) *importProgress {
	file, ok := w.(interface{ Fd() uintptr })
	terminal := ok && term.IsTerminal(int(file.Fd()))
	return &importProgress{w: w, terminal: terminal, size: size, now: now, told: now()}
}

// show takes the progress. It is quick, as it is called often.
func (p *importProgress) show(at importing.Progress) {
	if !p.placing && at.Placing {
		p.placing, p.begun = true, p.now()
		p.end()
	}
	if at.Trouble != nil {
		p.warn(at.Trouble)
	}
	if p.terminal {
		p.draw(at)
		return
	}
	if now := p.now(); now.Sub(p.told) >= lineEvery {
		p.told = now
		fmt.Fprintln(p.w, "orders: "+p.line(at))
	}
}

// warn tells why nothing moves, so that nobody takes a wait for a standstill: at once, then now and then.
func (p *importProgress) warn(trouble error) {
	now := p.now()
	if !p.warned.IsZero() && now.Sub(p.warned) < lineEvery {
		return
	}
	p.warned = now
	if p.bar != nil {
		_ = p.bar.Clear() // the bar is drawn anew below the line
	}
	fmt.Fprintf(p.w, "orders: %s; trying again\n", trouble)
}

// draw moves the bar. What a terminal can't show is not worth an error.
func (p *importProgress) draw(at importing.Progress) {
	if p.bar == nil {
		p.bar = p.newBar(at)
		p.bar.StartWithoutRender()
	}
	if p.placing {
		_ = p.bar.Set64(at.LinesDone)
	} else {
		_ = p.bar.Set64(at.BytesRead)
	}
}

func (p *importProgress) newBar(at importing.Progress) *progressbar.ProgressBar {
	options := []progressbar.Option{
		progressbar.OptionSetWriter(p.w), progressbar.OptionThrottle(barEvery), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetWidth(30), progressbar.OptionSetPredictTime(true),
	}
	if p.placing {
		return progressbar.NewOptions64(at.LinesRead, append(options, progressbar.OptionSetDescription("placing"),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("lines"))...)
	}
	return progressbar.NewOptions64(p.size, append(options, progressbar.OptionSetDescription("reading"),
		progressbar.OptionShowBytes(true))...)
}

// end takes the bar off the terminal.
func (p *importProgress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}

// line tells the progress in words.
func (p *importProgress) line(at importing.Progress) string {
	if !p.placing {
		if p.size <= 0 {
			return fmt.Sprintf("read %s lines", number(at.LinesRead))
		}
		return fmt.Sprintf("read %s lines, %d %% of the file", number(at.LinesRead), min(100*at.BytesRead/p.size, 100))
	}
	text := fmt.Sprintf("placed %s of %s lines, %s", number(at.LinesDone), number(at.LinesRead), ordersOf(at.OrdersDone))
	spent := p.now().Sub(p.begun)
	if rate := float64(at.LinesDone) / spent.Seconds(); spent > 0 && rate >= 1 {
		left := time.Duration(float64(at.LinesRead-at.LinesDone) / rate * float64(time.Second))
		text += fmt.Sprintf(", %s lines a second, %s left", number(int64(rate)), left.Round(time.Second))
	}
	return text
}
