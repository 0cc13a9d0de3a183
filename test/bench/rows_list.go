package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"
)

const (
	listConns  = 4   // few enough that a page is not measured waiting for other pages
	paidOrders = 500 // in each store, so that a status picks few orders out of many
	differing  = 256 // values of a filter that are asked for in turn
)

// filter is a list with different values.
type filter struct {
	name    string
	targets []string
}

// compareLists asks both stores for pages of the usual length with each filter. The worst of them makes the row.
func (b *bench) compareLists(ctx context.Context, small, large stocked) error {
	var lists [2][]filter
	for i, s := range []stocked{small, large} {
		var err error
		if lists[i], err = b.filters(ctx, s); err != nil {
			return err
		}
	}
	var worst figures
	for i := range lists[0] {
		name := lists[0][i].name
		found, err := b.interleave(ctx, "list, "+name, b.round/2,
			on("small", small.addr, load{conns: listConns, want: 200, script: pageScripts(lists[0][i].targets), check: checkPage}),
			on("large", large.addr, load{conns: listConns, want: 200, script: pageScripts(lists[1][i].targets), check: checkPage}))
		if err != nil {
			return err
		}
		ratios := found[1].p99s().over(found[0].p99s())
		if worst == nil || ratios.median() > worst.median() {
			worst = ratios
		}
		b.report.note(fmt.Sprintf("p99 of `GET /orders`, %s, %d connections", name, listConns),
			fmt.Sprintf("%s at %s orders, %s at %s: ratio %.2f",
				millis(time.Duration(found[0].p99s().median())), grouped(b.small),
				millis(time.Duration(found[1].p99s().median())), grouped(b.count), ratios.median()))
	}
	b.report.set(rowList, worst)
	return nil
}

// filters returns lists that each hold some order, after it has paid some orders so that one more status is there.
func (*bench) filters(ctx context.Context, s stocked) ([]filter, error) {
	c, err := dial(ctx, s.addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.giveUpAt(time.Now().Add(askTimeout)); err != nil {
		return nil, err
	}
	pay := statusScripts(s.ids[:min(paidOrders, len(s.ids)/4)])(0)
	for range min(paidOrders, len(s.ids)/4) {
		status, body, err := c.do(pay())
		if err != nil {
			return nil, err
		}
		if err := checkStatus(status, 200, body); err != nil {
			return nil, err
		}
	}
	all, status := filter{"no filter", []string{""}}, filter{"`status`", []string{"?status=PAID", "?status=PENDING"}}
	buyer, number := filter{name: "`customer_id`"}, filter{name: "`reference`"}
	after, before := filter{name: "`created_after`"}, filter{name: "`created_before`"}
	for i := range differing {
		body, err := ask(ctx, s.addr, newRequest("GET", "/orders/"+string(s.ids[len(s.ids)-1-i][:]), ""))
		if err != nil {
			return nil, err
		}
		var o struct {
			CustomerID string `json:"customer_id"`
			Reference  string `json:"reference"`
			CreatedAt  string `json:"created_at"`
		}
		if err := json.Unmarshal(body, &o); err != nil {
			return nil, fmt.Errorf("read an order: %w", err)
		}
		buyer.targets = append(buyer.targets, "?customer_id="+url.QueryEscape(o.CustomerID))
		number.targets = append(number.targets, "?reference="+url.QueryEscape(o.Reference))
		for name, f := range map[string]*filter{"created_after": &after, "created_before": &before} {
			target := "?" + name + "=" + url.QueryEscape(o.CreatedAt)
			full, err := isFull(ctx, s.addr, target)
			if err != nil {
				return nil, err
			}
			if full {
				f.targets = append(f.targets, target)
			}
		}
	}
	list := []filter{all, status, buyer, number, after, before}
	for _, f := range list {
		if len(f.targets) == 0 {
			return nil, fmt.Errorf("no list with %s is a whole page; have more orders", f.name)
		}
		body, err := ask(ctx, s.addr, newRequest("GET", "/orders"+f.targets[0], ""))
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(body, []byte(`{"id":"`)) {
			return nil, fmt.Errorf("the list with %s has no order: %.200s", f.name, body)
		}
	}
	return list, nil
}

// pageOrders is how many orders a page has when its length is not asked for.
const pageOrders = 50

// isFull says whether a list has a whole page. Orders of a batch have one time: there are none before the first batch's
// or after the last one's.
func isFull(ctx context.Context, addr, target string) (bool, error) {
	body, err := ask(ctx, addr, newRequest("GET", "/orders"+target, ""))
	return bytes.Count(body, []byte(`"fulfillment_status":`)) == pageOrders, err
}

// pageScripts asks for the first page of each list in turn; every connection begins at another one.
func pageScripts(targets []string) func(conn int) script {
	requests := make([][]byte, len(targets))
	for i, target := range targets {
		requests[i] = newRequest("GET", "/orders"+target, "")
	}
	return func(conn int) script {
		i := conn * 61
		return func() []byte {
			i++
			return requests[i%len(requests)]
		}
	}
}
