// Scenario of an organisation that connects Slack and sends an event, with the generated Go clients.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"tieline/linkbreakers"
	"tieline/native"
)

func main() {
	if err := story(os.Getenv("SERVER_URL"), os.Getenv("STANDIN_URL"), os.Getenv("TOKEN")); err != nil {
		log.Fatalf("sdk: go: %v", err)
	}
	fmt.Println("sdk: go: the story holds")
}

func slackClient(server, token string) *linkbreakers.SlackIntegrationsAPIService {
	configuration := linkbreakers.NewConfiguration()
	configuration.Servers = linkbreakers.ServerConfigurations{{URL: server}}
	configuration.AddDefaultHeader("Authorization", "Bearer "+token)
	return linkbreakers.NewAPIClient(configuration).SlackIntegrationsAPI
}

func nativeClient(server, token string) *native.APIClient {
	configuration := native.NewConfiguration()
	configuration.Servers = native.ServerConfigurations{{URL: server}}
	configuration.AddDefaultHeader("Authorization", "Bearer "+token)
	return native.NewAPIClient(configuration)
}

func story(server, standin, token string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	if err := connectSlack(ctx, server, standin, token); err != nil {
		return err
	}
	client := nativeClient(server, token)
	if err := deliverEvent(ctx, client); err != nil {
		return err
	}

	// Errors are values with a type of their own.
	_, _, err := client.DeliveriesAPI.GetDelivery(ctx, "0199c1de-0000-7000-8000-00000000dead").Execute()
	var refusal *native.GenericOpenAPIError
	if !errors.As(err, &refusal) {
		return fmt.Errorf("a delivery that is not there was found: %v", err)
	}
	problem, ok := refusal.Model().(native.Problem)
	if !ok || problem.Status != 404 || problem.Code != "not_found" {
		return fmt.Errorf("what is not there is no problem of type not_found: %#v", refusal.Model())
	}
	return nil
}

func connectSlack(ctx context.Context, server, standin, token string) error {
	// A request without a valid token is refused in the dialect's own type.
	_, _, err := slackClient(server, "wrong").GetSlackIntegration(ctx).Execute()
	var refusal *linkbreakers.GenericOpenAPIError
	if !errors.As(err, &refusal) {
		return fmt.Errorf("a wrong token was not refused: %v", err)
	}
	refused, ok := refusal.Model().(linkbreakers.ErrorResponse)
	if !ok || refused.Error.CodeType != "UNAUTHENTICATED" {
		return fmt.Errorf("the refusal is of another type: %#v", refusal.Model())
	}

	// Allow is pressed in the stand-in's Slack.
	slack := slackClient(server, token)
	asked, _, err := slack.GetSlackOAuthUrl(ctx).Execute()
	if err != nil {
		return err
	}
	address, err := url.Parse(asked.OauthUrl)
	if err != nil {
		return err
	}
	query := address.Query()
	code, err := allow(standin, query)
	if err != nil {
		return err
	}
	body := linkbreakers.CompleteSlackOAuthRequest{Code: code, State: query.Get("state")}
	if _, _, err := slack.CompleteSlackOAuth(ctx).CompleteSlackOAuthRequest(body).Execute(); err != nil {
		return err
	}
	update := linkbreakers.NewUpdateSlackIntegrationRequest()
	update.SetSlackChannelId("C0ALERTS")
	chosen, _, err := slack.UpdateSlackIntegration(ctx).UpdateSlackIntegrationRequest(*update).Execute()
	if err != nil {
		return err
	}
	if channel := chosen.SlackIntegration.GetSlackChannelId(); channel != "C0ALERTS" {
		return fmt.Errorf("another channel was chosen: %q", channel)
	}
	return nil
}

func allow(standin string, query url.Values) (string, error) {
	order := map[string]string{"team": "T0STANDIN"}
	for _, name := range []string{"client_id", "redirect_uri", "state", "scope"} {
		order[name] = query.Get(name)
	}
	body, err := json.Marshal(order)
	if err != nil {
		return "", err
	}
	answer, err := http.Post(standin+"/control/slack/authorize", "application/json", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var allowed struct{ Code string }
	if err := json.NewDecoder(answer.Body).Decode(&allowed); err != nil {
		return "", err
	}
	return allowed.Code, nil
}

func deliverEvent(ctx context.Context, client *native.APIClient) error {
	event := native.NewCreateEvent("workflow.step.completed")
	event.SetAttributes(map[string]string{
		"linkId": "0199c1de-0000-7000-8000-000000000001", "stepKind": "KIND_INTERACTION",
	})
	event.SetData(map[string]string{"name": "Ada"})
	accepted, _, err := client.EventsAPI.SendEvent(ctx).CreateEvent(*event).Execute()
	if err != nil {
		return err
	}
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		page, _, err := client.DeliveriesAPI.ListDeliveries(ctx).Execute()
		if err != nil {
			return err
		}
		for _, delivery := range page.Data {
			if delivery.EventId != accepted.Id || delivery.State != native.DELIVERYSTATE_DELIVERED {
				continue
			}
			detail, _, err := client.DeliveriesAPI.GetDelivery(ctx, delivery.Id).Execute()
			if err == nil && detail.EventId != accepted.Id {
				err = fmt.Errorf("the delivery is of another event: %v", detail.EventId)
			}
			return err
		}
		if time.Now().After(until) {
			return fmt.Errorf("the event was not delivered: %v", page.Data)
		}
	}
}
