package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// countProgress shows how many of a number of things are done: on a terminal a bar with rate and time
// left, elsewhere a line now and then.
type countProgress struct {
	w        io.Writer
	terminal bool
	verb     string // what is done to them: "migrated"
	things   string // in the plural
	now      func() time.Time

	bar    *progressbar.ProgressBar
	begun  time.Time
	told   time.Time // the last line
	warned time.Time // the last line about trouble
}

func newCountProgress(w io.Writer, verb, things string, now func() time.Time) *countProgress {
	file, ok := w.(interface{ Fd() uintptr })
	terminal := ok && term.IsTerminal(int(file.Fd()))
	return &countProgress{w: w, terminal: terminal, verb: verb, things: things, now: now, begun: now(), told: now()}
}

// show takes how far it is. What a terminal can't show is not worth an error.
func (p *countProgress) show(at MigrateProgress) {
	if at.Trouble != nil {
		p.warn(at.Trouble)
	}
	done, total := at.Done, at.Total
	if !p.terminal {
		if now := p.now(); now.Sub(p.told) >= lineEvery {
			p.told = now
			fmt.Fprintln(p.w, "orders: "+p.line(done, total))
		}
		return
	}
	if total == 0 {
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(p.w), progressbar.OptionThrottle(barEvery),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30), progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetDescription(p.verb), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionSetItsString(p.things))
		p.bar.StartWithoutRender()
	}
	if total != p.bar.GetMax64() { // it may grow meanwhile
		p.bar.ChangeMax64(total)
	}
	_ = p.bar.Set64(done)
}

// warn tells why nothing moves: at once, then now and then.
func (p *countProgress) warn(trouble error) {
	now := p.now()
	if !p.warned.IsZero() && now.Sub(p.warned) < lineEvery {
		return
	}
	p.warned = now
	p.clear()
	fmt.Fprintf(p.w, "orders: %s; trying again\n", trouble)
}

// clear makes room for a line that goes to the same terminal.
func (p *countProgress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// end takes the bar off the terminal.
func (p *countProgress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}

// line tells the progress in words.
func (p *countProgress) line(done, total int64) string {
	text := fmt.Sprintf("%s %s of %s %s", p.verb, number(done), number(total), p.things)
	spent := p.now().Sub(p.begun)
	if rate := float64(done) / spent.Seconds(); spent > 0 && rate >= 1 {
		left := time.Duration(float64(total-done) / rate * float64(time.Second))
		text += fmt.Sprintf(", %s a second, %s left", number(int64(rate)), left.Round(time.Second))
	}
	return text
}
