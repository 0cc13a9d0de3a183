package admission_test

import (
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/interfaces/httpapi/admission"
)

// Clients that come back as soon as they are let are turned away once for each ten that are served.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients, perSecond = 100, 1000
		p := &admission.Pace{Served: 10, Longest: 10 * time.Second}
		ended := time.Now().Add(10 * time.Second)
		turned := make(chan int, clients)
		go func() {
			for time.Now().Before(ended) {
				p.Serve()
				time.Sleep(time.Second / perSecond)
			}
		}()
		for range clients {
			go func() {
				n := 0
				for time.Sleep(200 * time.Millisecond); time.Now().Before(ended); n++ {
					time.Sleep(p.Turn())
				}
				turned <- n
			}()
		}
		total := 0
		for range clients {
			total += <-turned
		}
		if want := 10 * perSecond / 10; total < want*9/10 || total > want*11/10+clients {
			t.Errorf("%d were turned away in 10 s; want about %d", total, want)
		}
	})
}

func TestPaceHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &admission.Pace{Served: 10, Longest: time.Second}
		for range 1000 { // while nobody is served
			if d := p.Turn(); d > time.Second {
				t.Fatalf("kept for %v", d)
			}
		}
		time.Sleep(time.Minute)
		for range 100_000 {
			p.Serve()
		}
		time.Sleep(time.Second)
		if d := p.Turn(); d > time.Millisecond {
			t.Errorf("the only one to be turned away is kept for %v", d)
		}
	})
}
