package status

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// longest is how much is shown of a word that somebody else chose, in characters.
const longest = 200

// shortened makes one line of a text that somebody else chose, without what a terminal would take for a command, and not too long.
func shortened(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n == longest {
			b.WriteRune('…')
			break
		}
		if !strconv.IsPrint(r) {
			r = '\ufffd'
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// fit cuts a text to a width in characters.
func fit(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	runes := []rune(text)
	return string(runes[:width-1]) + "…"
}

// wrap breaks a text between words into lines of a width, as far as they fit.
func wrap(text string, width int) []string {
	var lines []string
	for word := range strings.FieldsSeq(text) {
		last := len(lines) - 1
		if last < 0 || utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, word)
			continue
		}
		lines[last] += " " + word
	}
	return lines
}

// unknown stands for what is not known.
const unknown = "-"

// count writes a number of things, whole from 10 on: "0", "0.3", "1,234", "12.3M".
func count(v *float64) string {
	switch {
	case v == nil:
		return unknown
	case *v < 0:
		return "-" + count(new(-*v))
	case *v < 0.05:
		return "0"
	case *v < 9.95:
		return strings.TrimSuffix(strconv.FormatFloat(*v, 'f', 1, 64), ".0")
	case *v < 9_999_999.5:
		return grouped(int64(math.Round(*v)))
	}
	return scaled(*v, 1_000, "k", "M", "G", "T")
}

func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// scaled writes a number by the largest unit that it fills.
func scaled(v, step float64, units ...string) string {
	unit := ""
	for _, u := range units {
		if v < step {
			break
		}
		v, unit = v/step, u
	}
	if v >= step*1_000 {
		return strconv.FormatFloat(v, 'g', 2, 64) + unit
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + unit
}

// perSecond writes a rate.
func perSecond(v *float64) string {
	if v == nil {
		return unknown
	}
	return count(v) + "/s"
}

// size writes a number of bytes.
func size(v *float64) string {
	if v == nil || *v < 0 {
		return unknown
	}
	if *v < 1_024 {
		return strconv.FormatFloat(*v, 'f', 0, 64) + " B"
	}
	return scaled(*v, 1_024, " KiB", " MiB", " GiB", " TiB")
}

// share writes a part of a whole.
func share(v *float64) string {
	switch {
	case v == nil:
		return unknown
	case *v > 0 && *v < 0.000_05:
		return "<0.01 %"
	}
	return strconv.FormatFloat(*v*100, 'f', 2, 64) + " %"
}

// latency writes a short time in seconds: "0.4 ms", "12 ms", "2.5 s".
func latency(v *float64) string {
	switch {
	case v == nil:
		return unknown
	case *v < 0.009_95:
		return strconv.FormatFloat(*v*1_000, 'f', 1, 64) + " ms"
	case *v < 0.999_5:
		return strconv.FormatFloat(*v*1_000, 'f', 0, 64) + " ms"
	}
	return strconv.FormatFloat(min(*v, 1e6), 'f', 1, 64) + " s"
}

// age writes a long time in seconds by its two largest units: "12s", "4m 10s", "3d 4h".
func age(v *float64) string {
	switch {
	case v == nil || *v < 0:
		return unknown
	case *v > 0 && *v < 9.95:
		return strconv.FormatFloat(*v, 'f', 1, 64) + "s"
	case *v > 1e9:
		return "years"
	}
	d := time.Duration(*v) * time.Second
	days := d / (24 * time.Hour)
	switch hours, minutes, seconds := d/time.Hour%24, d/time.Minute%60, d/time.Second%60; {
	case days > 0:
		return fmt.Sprintf("%dd %dh", days, hours)
	case hours > 0:
		return fmt.Sprintf("%dh %dm", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%dm %ds", minutes, seconds)
	default:
		return fmt.Sprintf("%ds", seconds)
	}
}
