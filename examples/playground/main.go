// SPDX-License-Identifier: MIT

// A playground for awk, and a hole: it runs whatever program it is sent. It is here to be put into
// images, not to be used.
//
//	curl --data-urlencode 'program={ print $2 }' --data-urlencode 'input=a b' localhost:8080
package main

import (
	"log"
	"net/http"
	"os/exec"
	"strings"
)

func run(w http.ResponseWriter, r *http.Request) {
	command := exec.CommandContext(r.Context(), "awk", r.PostFormValue("program"))
	command.Stdin = strings.NewReader(r.PostFormValue("input"))
	output, err := command.CombinedOutput()
	if err != nil {
		http.Error(w, string(output)+err.Error(), http.StatusBadRequest)
		return
	}
	w.Write(output)
}

func main() {
	http.HandleFunc("/", run)
	log.Fatal(http.ListenAndServe(":8080", nil))
}
