package config

import "testing"

// TestPatternsTakeTheirDefaults: they are made only when a value is given, so that nothing else would notice one that is wrong.
func TestPatternsTakeTheirDefaults(t *testing.T) {
	patterns := 0
	for _, v := range variables() {
		if v.pattern == nil {
			continue
		}
		patterns++
		if v.byDefault != "" && !v.pattern().MatchString(v.byDefault) {
			t.Errorf("%s=%s is not what its pattern allows", v.name, v.byDefault)
		}
		v.pattern() // which panics if it is none
	}
	if patterns == 0 {
		t.Error("there are no patterns")
	}
}
