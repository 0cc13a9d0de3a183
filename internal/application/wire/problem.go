package wire

// Problem is an error as a caller sees it: the problem details of RFC 9457, with members of our own.
type Problem struct {
	Type      string         `json:"type" format:"uri-reference" example:"about:blank" doc:"Always about:blank: the title is that of the HTTP status, and code tells problems apart."`
	Title     string         `json:"title" example:"Unprocessable Entity" doc:"What the HTTP status is called."`
	Status    int            `json:"status" minimum:"400" maximum:"599" example:"422" doc:"The HTTP status."`
	Detail    string         `json:"detail" example:"items[0].quantity must be a whole number from 1 to 1,000,000" doc:"What is wrong and what would be right."`
	Code      string         `json:"code" pattern:"^[a-z_]+$" example:"validation_failed" doc:"The problem's name for programs. It stays the same."`
	Error     string         `json:"error" example:"items[0].quantity must be a whole number from 1 to 1,000,000" doc:"The same as detail, under the name that earlier clients know."`
	RequestID string         `json:"request_id" minLength:"1" maxLength:"128" example:"2V5WQZGJ7N4KXTC3MBHRDPL6YS" doc:"The request's id, by which the operator finds it in the log."`
	Errors    []ProblemField `json:"errors,omitempty" nullable:"false" doc:"Each fault in the request, where one has a place."`
}

// ProblemField is a fault in one place of a request.
type ProblemField struct {
	Location string `json:"location" example:"body.items[0].quantity" doc:"Where it is: in the body, query, path or header."`
	Message  string `json:"message" example:"must be a whole number from 1 to 1,000,000" doc:"What is wrong there and what would be right."`
}

// AppendProblem appends the problem and returns the extended buffer.
func AppendProblem(dst []byte, p *Problem) []byte {
	dst = append(dst, `{"type":`...)
	dst = AppendString(dst, p.Type)
	dst = append(dst, `,"title":`...)
	dst = AppendString(dst, p.Title)
	dst = append(dst, `,"status":`...)
	dst = appendNumber(dst, p.Status)
	dst = append(dst, `,"detail":`...)
	dst = AppendString(dst, p.Detail)
	dst = append(dst, `,"code":`...)
	dst = AppendString(dst, p.Code)
	dst = append(dst, `,"error":`...)
	dst = AppendString(dst, p.Error)
	dst = append(dst, `,"request_id":`...)
	dst = AppendString(dst, p.RequestID)
	for i := range p.Errors {
		if i == 0 {
			dst = append(dst, `,"errors":[`...)
		}
		dst = appendComma(dst, i)
		dst = append(dst, `{"location":`...)
		dst = AppendString(dst, p.Errors[i].Location)
		dst = append(dst, `,"message":`...)
		dst = AppendString(dst, p.Errors[i].Message)
		dst = append(dst, '}')
	}
	if len(p.Errors) > 0 {
		dst = append(dst, ']')
	}
	return append(dst, '}')
}
