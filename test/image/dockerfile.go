// Package image proves what the Dockerfile says where there is no container engine: it reads the last stage, lays its
// content out in an empty folder, and runs the program with that folder as its root and as the image's user.
package image

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Copy is a COPY instruction: Sources of the stage From go to Target. Owner is what --chown says, "" for root.
type Copy struct {
	From, Owner string
	Sources     []string
	Target      string
}

// Stage is what one stage of a Dockerfile says. References to build arguments stand as they are written.
type Stage struct {
	Image, Name string
	Copies      []Copy
	Runs        []string
	Env, Labels map[string]string
	User        string
	Workdir     string
	Ports       []string
	Volumes     []string
	Entrypoint  []string
	Command     []string
	Healthcheck []string
}

// Dockerfile is what a Dockerfile says. Arguments are those before the first stage, with their defaults.
type Dockerfile struct {
	Arguments map[string]string
	Stages    []Stage
}

// Last is the stage that the image is made of.
func (d *Dockerfile) Last() Stage { return d.Stages[len(d.Stages)-1] }

// Parse reads a Dockerfile. An instruction, a form or a flag that it does not know is an error, so that nothing which
// changes the image is passed over.
func Parse(text string) (*Dockerfile, error) {
	d := &Dockerfile{Arguments: map[string]string{}}
	for _, line := range instructions(text) {
		name, rest, _ := strings.Cut(line, " ")
		if err := d.add(name, strings.TrimSpace(rest)); err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
	}
	if len(d.Stages) == 0 {
		return nil, fmt.Errorf("no FROM in %d bytes", len(text))
	}
	return d, nil
}

// instructions are the lines without comments, each with the lines that continue it.
func instructions(text string) []string {
	var lines []string
	joined := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		more := strings.HasSuffix(line, `\`)
		joined += strings.TrimSuffix(line, `\`)
		if !more {
			lines = append(lines, joined)
			joined = ""
		}
	}
	return lines
}

func (d *Dockerfile) add(name, rest string) error {
	if name == "FROM" {
		return d.from(rest)
	}
	if len(d.Stages) == 0 {
		if name != "ARG" {
			return fmt.Errorf("%s before the first FROM", name)
		}
		argument, value, _ := strings.Cut(rest, "=")
		d.Arguments[argument] = value
		return nil
	}
	return d.Stages[len(d.Stages)-1].add(name, rest)
}

func (d *Dockerfile) from(rest string) error {
	flags, words := flagsAndWords(rest)
	delete(flags, "platform")
	if len(flags) > 0 || (len(words) != 1 && (len(words) != 3 || words[1] != "AS")) {
		return fmt.Errorf("unknown form of FROM: %q", rest)
	}
	s := Stage{Image: words[0], Env: map[string]string{}, Labels: map[string]string{}}
	if len(words) == 3 {
		s.Name = words[2]
	}
	d.Stages = append(d.Stages, s)
	return nil
}

func (s *Stage) add(name, rest string) error {
	switch name {
	case "ARG": // counts while building only
		return nil
	case "COPY":
		return s.copy(rest)
	case "RUN":
		s.Runs = append(s.Runs, rest)
		return nil
	case "ENV":
		return pairs(rest, s.Env)
	case "LABEL":
		return pairs(rest, s.Labels)
	case "USER":
		s.User = rest
		return nil
	case "WORKDIR":
		s.Workdir = rest
		return nil
	case "EXPOSE":
		s.Ports = strings.Fields(rest)
		return nil
	case "VOLUME":
		s.Volumes = strings.Fields(rest)
		return nil
	case "ENTRYPOINT":
		return exec(rest, &s.Entrypoint)
	case "CMD":
		return exec(rest, &s.Command)
	case "HEALTHCHECK":
		_, command, found := strings.Cut(rest, "CMD ")
		if !found {
			return fmt.Errorf("unknown form of HEALTHCHECK: %q", rest)
		}
		return exec(command, &s.Healthcheck)
	}
	return fmt.Errorf("unknown instruction %q", name)
}

func (s *Stage) copy(rest string) error {
	flags, words := flagsAndWords(rest)
	c := Copy{From: flags["from"], Owner: flags["chown"]}
	delete(flags, "from")
	delete(flags, "chown")
	if len(flags) > 0 || len(words) < 2 {
		return fmt.Errorf("unknown form of COPY: %q", rest)
	}
	c.Sources, c.Target = words[:len(words)-1], words[len(words)-1]
	s.Copies = append(s.Copies, c)
	return nil
}

// exec reads the form of a command that needs no shell.
func exec(rest string, into *[]string) error {
	if err := json.Unmarshal([]byte(rest), into); err != nil {
		return fmt.Errorf("a command that needs a shell, and there is none: %w", err)
	}
	return nil
}

// pairs reads NAME=value and NAME="value with blanks".
func pairs(rest string, into map[string]string) error {
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		name, after, found := strings.Cut(rest, "=")
		if !found || strings.ContainsAny(name, " \"") {
			return fmt.Errorf("no NAME=value at %q", rest)
		}
		value, left, _ := strings.Cut(after, " ")
		if quoted, isQuoted := strings.CutPrefix(after, `"`); isQuoted {
			if value, left, found = strings.Cut(quoted, `"`); !found {
				return fmt.Errorf("no end of quotes at %q", rest)
			}
		}
		into[name], rest = value, left
	}
	return nil
}

// flagsAndWords parts the --name=value before an instruction's words from these.
func flagsAndWords(rest string) (flags map[string]string, words []string) {
	flags = map[string]string{}
	for word := range strings.FieldsSeq(rest) {
		if flag, ok := strings.CutPrefix(word, "--"); ok && len(words) == 0 {
			name, value, _ := strings.Cut(flag, "=")
			flags[name] = value
			continue
		}
		words = append(words, word)
	}
	return flags, words
}
